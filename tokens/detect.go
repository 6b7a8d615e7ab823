package tokens

import (
	"cmp"
	"context"
	"errors"
	"net/http"
)

// detect finds out by its answers what kind of server it is. Nothing secret is
// sent: a token API that is there asks for an access token. Of a server that
// has none the error is ErrHasNone, or ErrNoAPI if it could as well be a proxy
// that closes the path. Any other error says that it can't be told now.
func (a *API) detect(ctx context.Context) (kind string, err error) {
	const op = "find out the kind of server"
	admin := a.config.client().at(cmp.Or(a.config.BaseURL, a.config.Homeserver), askedKind)
	homeserver := a.config.client().at(a.config.Homeserver, plainKind)
	none := error(ErrHasNone)
	for _, probe := range []struct {
		kind   string
		client *client
		call   call
	}{
		{KindSynapse, admin, call{op: op, method: http.MethodGet, path: synapseTokens}},
		{KindDendrite, admin, call{op: op, method: http.MethodGet, path: dendriteTokens}},
		// Last, for homeservers can have such metadata without MAS.
		{KindMAS, homeserver, authMetadata(op)},
	} {
		_, err := do[struct{}](ctx, probe.client, probe.call)
		var failure *Error
		switch {
		case err == nil && probe.kind == KindMAS, errors.Is(err, errAsked):
			return probe.kind, nil
		case errors.Is(err, ErrNoAPI):
			if errors.As(err, &failure); failure.Errcode != "M_UNRECOGNIZED" {
				none = ErrNoAPI
			}
		case err == nil: // a token API without a guard is none that we know
			none = ErrNoAPI
		default:
			return "", err
		}
	}
	return "", &Error{Kind: none, Op: op}
}

// errAsked: the token API is there, and asks who asks.
var errAsked = errors.New("the server wants an access token")

// askedKind reads an answer to a request without an access token.
func askedKind(_ call, status int, said refusalBody) error {
	if said.Errcode != "" && (status == http.StatusUnauthorized || status == http.StatusForbidden) {
		return errAsked
	}
	return nil
}
