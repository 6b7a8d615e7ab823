package appservice

import (
	"encoding/json"
	"net/http"
	"net/url"
	"runtime/debug"

	"github.com/go-chi/chi/v5"
)

// maxPingBytes is far more than a ping's transaction id needs.
const maxPingBytes = 64 << 10

// routes lists what the homeserver and the admin's monitoring may ask.
//
// Third-party networks are not ours, so their routes are unknown like any
// other. Unknown paths are 404 and wrong methods 405, both M_UNRECOGNIZED.
// https://spec.matrix.org/v1.17/application-service-api/#unknown-routes
func (s *Server) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(s.survivePanics)
	r.NotFound(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, codeUnrecognized, "There is nothing at this path.")
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) {
		allowMethods(r, w, req)
		refuse(w, http.StatusMethodNotAllowed, codeUnrecognized, "This path does not know this method.")
	})

	r.Get("/health", s.health)
	r.Get("/ready", s.ready)

	// Old homeservers, and those that got an error on the first, use the
	// second. https://spec.matrix.org/v1.17/application-service-api/#legacy-routes
	for _, prefix := range []string{"/_matrix/app/v1", ""} {
		r.Put(prefix+"/transactions/{txnId}", s.fromHomeserver(s.putTransaction))
		r.Get(prefix+"/users/{userId}", s.fromHomeserver(s.getUser))
		r.Get(prefix+"/rooms/{alias}", s.fromHomeserver(s.getRoom))
	}
	r.Post("/_matrix/app/v1/ping", s.fromHomeserver(s.postPing))
	return r
}

// getUser answers whether a user of the namespace exists: only the bot does.
// https://spec.matrix.org/v1.17/application-service-api/#get_matrixappv1usersuserid
func (s *Server) getUser(w http.ResponseWriter, r *http.Request) {
	if pathValue(r, "userId") != s.cfg.BotUserID {
		refuse(w, http.StatusNotFound, codeNotFound, "This user does not exist.")
		return
	}
	reply(w, http.StatusOK, struct{}{})
}

// getRoom answers whether a room alias of the namespace exists: none does.
// https://spec.matrix.org/v1.17/application-service-api/#get_matrixappv1roomsroomalias
func (s *Server) getRoom(w http.ResponseWriter, _ *http.Request) {
	refuse(w, http.StatusNotFound, codeNotFound, "This room alias does not exist.")
}

// postPing is the homeserver passing on our own ping: the way back works.
// https://spec.matrix.org/v1.17/application-service-api/#post_matrixappv1ping
func (s *Server) postPing(w http.ResponseWriter, r *http.Request) {
	var ping struct {
		TransactionID string `json:"transaction_id"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPingBytes)).Decode(&ping)
	if err != nil {
		refuse(w, http.StatusBadRequest, codeNotJSON, "The body of a ping must be a JSON object.")
		return
	}
	if s.cfg.OnPing != nil {
		s.cfg.OnPing(ping.TransactionID)
	}
	reply(w, http.StatusOK, struct{}{})
}

// pathValue returns a part of the path, unescaped: chi matches the path as it
// was sent when the parsed form would lose something (`%2F`).
func pathValue(r *http.Request, name string) string {
	value := r.PathValue(name)
	if r.URL.RawPath == "" {
		return value
	}
	if plain, err := url.PathUnescape(value); err == nil {
		return plain
	}
	return value
}

// allowMethods sets the header that belongs to a 405: what the path would
// have understood.
func allowMethods(routes chi.Routes, w http.ResponseWriter, r *http.Request) {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
		if routes.Match(chi.NewRouteContext(), method, r.URL.EscapedPath()) {
			w.Header().Add("Allow", method)
		}
	}
}

// survivePanics turns a mistake of ours into a 500 for this request alone.
func (s *Server) survivePanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if problem := recover(); problem != nil {
				s.logPanic(problem, "A request ended in a panic")
				refuse(w, http.StatusInternalServerError, codeUnknown, "The bot made a mistake; its log says which.")
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func (s *Server) logPanic(problem any, message string) {
	s.cfg.Log.Error().Any("panic", problem).Bytes("stack", debug.Stack()).Msg(message)
}
