package tokenstest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
)

// Fault is a way for a request to go wrong; server answers it as it should be.
type Fault func(w http.ResponseWriter, r *http.Request, server http.Handler)

// Answer gives this answer instead of the server's.
func Answer(status int, contentType, body string) Fault {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // a client that is gone doesn't matter
	}
}

// JSON answers with this JSON.
func JSON(status int, body string) Fault { return Answer(status, "application/json", body) }

// Page answers as a reverse proxy does: with a web page.
func Page(status int) Fault {
	return Answer(status, "text/html", fmt.Sprintf("<html><h1>%d %s</h1></html>", status, http.StatusText(status)))
}

// TooManyRequests answers 429; retryAfterMS of 0 leaves out for how long.
func TooManyRequests(retryAfterMS int) Fault {
	if retryAfterMS == 0 {
		return JSON(http.StatusTooManyRequests, `{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests"}`)
	}
	return JSON(http.StatusTooManyRequests, fmt.Sprintf(
		`{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":%d}`, retryAfterMS))
}

// InternalError answers 500 as Synapse does.
func InternalError() Fault {
	return JSON(http.StatusInternalServerError, `{"errcode":"M_UNKNOWN","error":"Internal server error"}`)
}

// Cut closes the connection before the request has any effect.
func Cut() Fault {
	return func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }
}

// CutAfter lets the request have its effect, then closes the connection.
func CutAfter() Fault {
	return func(_ http.ResponseWriter, r *http.Request, server http.Handler) {
		server.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
}

// CutWithin lets the request have its effect and closes the connection in the
// middle of the answer.
func CutWithin() Fault {
	return func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, r)
		body := answer.Body.Bytes()
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = w.Write(body[:len(body)/2]) // cut is cut
		panic(http.ErrAbortHandler)
	}
}

// Hang does nothing until the client gives up.
func Hang() Fault {
	return func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// HangAfter lets the request have its effect, then says nothing until the
// client gives up.
func HangAfter() Fault {
	return func(_ http.ResponseWriter, r *http.Request, server http.Handler) {
		server.ServeHTTP(httptest.NewRecorder(), r)
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// Until answers properly, but not before the channel is closed or the client
// gives up.
func Until(ready <-chan struct{}) Fault {
	return func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		select {
		case <-ready:
			server.ServeHTTP(w, r)
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		}
	}
}
