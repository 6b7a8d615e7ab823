//go:build goolm

package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/tokens"
)

const (
	tokenAPISoon  = 15 * time.Second // until it works
	tokenAPILater = 10 * time.Minute
)

// tokenAPI watches whether tokens can be made, so that the log says what is
// missing before the first person meets it.
type tokenAPI struct {
	server tokens.Server
	bot    id.UserID
	log    zerolog.Logger
	words  atomic.Value // string
}

func (t *tokenAPI) state() string {
	words, _ := t.words.Load().(string)
	if words == "" {
		return "not asked yet"
	}
	return words
}

// watch asks for a token that nobody has: "not found" is a working answer.
func (t *tokenAPI) watch(ctx context.Context) {
	for {
		_, err := t.server.Get(ctx, "registration-bot-check")
		if ctx.Err() != nil {
			return
		}
		words, wait := "ok", tokenAPILater
		if err != nil && !errors.Is(err, tokens.ErrNotFound) {
			words, wait = t.explain(err), tokenAPISoon
		}
		if before := t.state(); before != words {
			t.words.Store(words)
			if words == "ok" {
				t.log.Info().Msg("Registration tokens can be made")
			} else {
				t.log.Warn().Err(err).Msg("Registration tokens can't be made yet: " + words)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// explain says what is missing, and what to do.
func (t *tokenAPI) explain(err error) string {
	switch {
	case errors.Is(err, tokens.ErrNotAdmin):
		return fmt.Sprintf(`the bot is not a server admin; an admin makes it one with PUT /_synapse/admin/v2/users/%s and the body {"admin": true}`, t.bot)
	case errors.Is(err, tokens.ErrBadCredentials):
		return "the homeserver does not accept the bot's access token; has it loaded registration.yaml, or is api.token old?"
	case errors.Is(err, tokens.ErrNoAPI):
		return "the token API is not there: a proxy closes /_synapse/admin (set api.base_url to the homeserver's internal address), or accounts are kept by MAS"
	case errors.Is(err, tokens.ErrUnreachable), errors.Is(err, tokens.ErrUnknownOutcome):
		return "the token API does not answer"
	}
	return "the token API answers with an error"
}
