package chat

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// errNoJSON is an answer that can't come from a homeserver.
var errNoJSON = errors.New("the answer is neither an object nor a list")

// readable lets only those answers of success through that mautrix can read: it
// takes the JSON `null` for one, and panics when it looks into it.
type readable struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t readable) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(request)
	if err != nil || response.StatusCode != http.StatusOK {
		return response, err
	}
	body := bufio.NewReader(response.Body)
	first, err := firstByte(body)
	if err == nil && first != '{' && first != '[' {
		err = errNoJSON
	}
	if err != nil {
		_ = response.Body.Close()
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	response.Body = struct {
		io.Reader
		io.Closer
	}{body, response.Body}
	return response, nil
}

// firstByte skips white space and returns the byte after it, which stays there
// to be read.
func firstByte(r *bufio.Reader) (byte, error) {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			return b, r.UnreadByte()
		}
	}
}
