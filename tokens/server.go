package tokens

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// The kinds of servers, as `api.type` in the config names them.
const (
	KindAuto     = "auto"     // found out from what the server answers
	KindSynapse  = "synapse"  // and its relative tuwunel
	KindMAS      = "mas"      // Matrix Authentication Service
	KindDendrite = "dendrite" //
)

// Config says where the token API is and how to ask it.
type Config struct {
	Kind       string // one of the kinds above
	Homeserver string // of the client-server API; empty = BaseURL
	BaseURL    string // of the admin API, http or https, a path in front is fine; empty = Homeserver, on MAS Issuer
	Token      string // access token of a server admin, or the as_token; on MAS a personal access token
	UserID     string // as_token: the user to act as, who must be a server admin; empty otherwise

	// For MAS, which takes a client's credentials, or a Token that is no as_token.
	Issuer       string // where MAS is; empty = the homeserver says it
	ClientID     string
	ClientSecret string
	ClientAuth   string // AuthAuto (or empty), AuthBasic or AuthPost
	IDs          IDs    // nil = remembered until the program ends

	UserAgent string
	// HTTP sends the requests; nil is http.DefaultClient. Its Transport has to
	// report to net/http/httptrace, as net/http's own does: what certainly
	// never left is told from what may have arrived by that.
	HTTP *http.Client
}

// New returns the token API of a server. It asks nothing yet.
func New(config Config) (*API, error) {
	fail := func(err error) (*API, error) { return nil, fmt.Errorf("setting up the token API: %w", err) }
	config.Homeserver = cmp.Or(config.Homeserver, config.BaseURL)
	for _, address := range []string{config.Homeserver, config.BaseURL, config.Issuer} {
		if address != "" && !isAddress(address) {
			return fail(errors.New("an address must look like https://matrix.example.com"))
		}
	}
	switch {
	case config.Homeserver == "":
		return fail(errors.New("the address of the server is needed"))
	case config.Token == "" && config.ClientID == "":
		return fail(errors.New("an access token is needed"))
	}
	switch config.ClientAuth {
	case "", AuthAuto, AuthBasic, AuthPost:
	default:
		return fail(fmt.Errorf("unknown way of sending the client's secret %q", config.ClientAuth))
	}
	if config.IDs == nil {
		config.IDs = &memoryIDs{}
	}
	api := &API{config: config}
	if config.Kind == KindAuto {
		return api, nil
	}
	var err error
	if api.server, err = newBackend(config, config.Kind); err != nil {
		return fail(err)
	}
	return api, nil
}

// backend is a server of a known kind.
type backend interface {
	Server
	Editor
	Abilities() Abilities
}

// newBackend returns ErrNeedsCredentials if the config has none that this kind
// of server could take.
func newBackend(config Config, kind string) (backend, error) {
	isASToken := config.UserID != ""
	admin := cmp.Or(config.BaseURL, config.Homeserver)
	switch {
	case kind == KindSynapse && config.Token != "":
		client := config.client().at(admin, tokenKind)
		if isASToken {
			client.kindOf = matrixKind
			client.query = url.Values{"user_id": {config.UserID}}.Encode()
		}
		return &synapse{client.bearer(config.Token), synapseTokens}, nil
	case kind == KindDendrite && config.Token != "" && !isASToken:
		return &dendrite{synapse{config.client().at(admin, tokenKind).bearer(config.Token), dendriteTokens}}, nil
	case kind == KindMAS && (config.ClientID != "" || config.Token != "" && !isASToken):
		return newMAS(config), nil
	case kind == KindSynapse, kind == KindDendrite, kind == KindMAS:
		return nil, &Error{Kind: ErrNeedsCredentials, Op: "set up the token API", Found: kind}
	}
	return nil, fmt.Errorf("unknown kind of server %q", kind)
}

func newMAS(config Config) *mas {
	auth := &masAuth{
		client:     config.client(),
		homeserver: config.Homeserver,
		issuer:     config.Issuer,
		base:       config.BaseURL,
		id:         config.ClientID,
		secret:     config.ClientSecret,
		methods:    []string{config.ClientAuth},
		turn:       make(chan struct{}, 1),
	}
	if config.ClientAuth == "" || config.ClientAuth == AuthAuto {
		auth.methods = []string{AuthBasic, AuthPost}
	}
	if config.ClientID == "" {
		auth.token = config.Token
	}
	return &mas{auth, config.IDs}
}

// client is what the clients of all APIs have in common.
func (c Config) client() client {
	httpClient := http.DefaultClient
	if c.HTTP != nil {
		httpClient = c.HTTP
	}
	direct := *httpClient
	// Following would turn a POST into a GET of something else. An admin API
	// that moves is one that isn't there.
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client{http: &direct, userAgent: c.UserAgent}
}
