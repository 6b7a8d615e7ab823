package chat

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix"
)

const (
	// callTime is how long one request to the homeserver may take.
	callTime = 30 * time.Second
	// maxAnswer is far more than the state of a large room, in bytes.
	maxAnswer = 64 << 20
)

// newClient makes a client that speaks as the bot with the as_token. Every
// request names the bot and, once it is known, its device: only so does Synapse
// recognise a repeated send after its own restart.
func newClient(cfg Config) (*mautrix.Client, error) {
	cli, err := mautrix.NewClient(cfg.Homeserver, cfg.UserID, cfg.ASToken)
	if err != nil {
		return nil, fmt.Errorf("homeserver address: %w", err)
	}
	cli.SetAppServiceUserID = true
	cli.Client = &http.Client{
		Transport:     readable{cfg.HTTP.Transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	cli.ResponseSizeLimit = maxAnswer
	cli.UserAgent = "matrix-registration-bot"
	cli.Syncer = nil // mautrix's own sync loop is not used
	cli.Store = nil
	cli.Log = cfg.Log.Level(zerolog.InfoLevel).With().Str("part", "matrix").Logger()
	cli.RequestHook = func(r *http.Request) {
		// mautrix logs the bodies of requests that get no answer: keys, and
		// messages with tokens.
		*r = *r.WithContext(context.WithValue(r.Context(), mautrix.LogBodyContextKey, nil))
	}
	return cli, nil
}

// register makes the bot's user (application service API, "server admin style
// permissions"). It is fine if the user exists.
func register(ctx context.Context, cli *mautrix.Client, localpart string) error {
	body := map[string]any{"type": mautrix.AuthTypeAppservice, "username": localpart, "inhibit_login": true}
	_, err := cli.MakeFullRequest(ctx, mautrix.FullRequest{
		Method:      http.MethodPost,
		URL:         cli.BuildClientURL("v3", "register"),
		RequestJSON: body,
	})
	return err
}

// quickly gives a call its time limit.
func quickly[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return call(ctx)
}
