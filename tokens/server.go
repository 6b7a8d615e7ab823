package tokens

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// The kinds of servers, as `api.type` in the config names them.
const (
	KindAuto    = "auto"
	KindSynapse = "synapse"
)

// Config says where the token API is and how to ask it.
type Config struct {
	Kind      string // KindAuto or KindSynapse
	BaseURL   string // of the admin API: http or https, a path in front is fine
	Token     string // access token of a server admin, or the as_token
	UserID    string // as_token: the user to act as, who must be a server admin; empty otherwise
	UserAgent string
	// HTTP sends the requests; nil is http.DefaultClient. Its Transport has to
	// report to net/http/httptrace, as net/http's own does: what certainly
	// never left is told from what may have arrived by that.
	HTTP *http.Client
}

// New returns a client for the given kind of server. It asks nothing yet.
func New(config Config) (Server, error) {
	client, err := newClient(config)
	if err != nil {
		return nil, fmt.Errorf("setting up the token API: %w", err)
	}
	switch config.Kind {
	case KindSynapse, KindAuto: // nothing else to find yet
		return &synapse{client}, nil
	default:
		return nil, fmt.Errorf("setting up the token API: unknown kind of server %q", config.Kind)
	}
}

func newClient(config Config) (*client, error) {
	base, err := url.Parse(config.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") ||
		base.User != nil || base.RawQuery != "" || base.ForceQuery || base.Fragment != "" {
		return nil, errors.New("the base URL must look like https://matrix.example.com")
	}
	if config.Token == "" {
		return nil, errors.New("an access token is needed")
	}
	httpClient := http.DefaultClient
	if config.HTTP != nil {
		httpClient = config.HTTP
	}
	direct := *httpClient
	// Following would turn a POST into a GET of something else. An admin API
	// that moves is one that isn't there.
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	query := url.Values{}
	if config.UserID != "" {
		query.Set("user_id", config.UserID)
	}
	return &client{
		http:      &direct,
		base:      strings.TrimRight(base.String(), "/"),
		query:     query.Encode(),
		token:     config.Token,
		userAgent: config.UserAgent,
	}, nil
}
