//go:build crashpoints

package crashpoint

import (
	"net/http"
	"regexp"
	"strings"
)

// Transport makes a point before each request, when nothing is sent yet, and
// one after it, when an answer is there and nobody has read it.
func Transport(t http.RoundTripper) http.RoundTripper { return transport{t} }

type transport struct{ http.RoundTripper }

func (t transport) RoundTrip(request *http.Request) (*http.Response, error) {
	what := request.Method + " " + template(request.URL.Path)
	meet("before", what)
	response, err := t.RoundTripper.RoundTrip(request)
	if err == nil {
		meet("after", what)
	}
	return response, err
}

var plainWord = regexp.MustCompile(`^(v\d+|[a-z_.]+)$`)

// template leaves out of a path what differs from one request to the next, and
// whatever could be a secret.
func template(path string) string {
	words := strings.Split(path, "/")
	for i, word := range words {
		token := i > 0 && words[i-1] == "registration_tokens" && word != "new"
		if word != "" && (token || !plainWord.MatchString(word)) {
			words[i] = "*"
		}
	}
	return strings.Join(words, "/")
}
