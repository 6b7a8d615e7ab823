package tokenstest

import (
	"net/http"
	"net/url"
	"strings"
)

// endpoints are what a token API of Synapse's design has.
type endpoints struct{ list, create, get, update, remove endpoint }

type endpoint func(w http.ResponseWriter, r *http.Request, text string)

// route finds the endpoint below a root as Synapse and Dendrite do: by the path
// as it was sent, decoding the token afterwards, and with "new" reserved for
// POST. known tells whether there is such a path at all; for other methods than
// its own the endpoint is nil.
func route(r *http.Request, root string, all endpoints) (text string, asked endpoint, known bool) {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), root)
	segment, below := strings.CutPrefix(path, "/")
	text, err := url.PathUnescape(segment)
	if !ok || err != nil || strings.Contains(segment, "/") || (path != "" && !below) {
		return "", nil, false
	}
	var methods map[string]endpoint
	switch {
	case !below:
		methods = map[string]endpoint{http.MethodGet: all.list}
	case segment == "new":
		methods = map[string]endpoint{http.MethodPost: all.create}
	default:
		methods = map[string]endpoint{http.MethodGet: all.get, http.MethodPut: all.update, http.MethodDelete: all.remove}
	}
	return text, methods[r.Method], true
}
