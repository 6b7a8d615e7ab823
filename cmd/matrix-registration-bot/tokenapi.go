//go:build goolm

package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/doctor"
	"matrix-registration-bot/tokens"
)

const (
	tokenAPISoon  = 15 * time.Second // until it works
	tokenAPILater = 10 * time.Minute

	tokenAPIEnd = 2 * time.Second // for giving back what the server lent
)

// tokenAPI watches whether tokens can be made, so that the log says what is
// missing before the first person meets it.
type tokenAPI struct {
	server *tokens.API
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

// watch asks for a token now and then.
func (t *tokenAPI) watch(ctx context.Context) {
	for {
		finding := doctor.AskTokens(ctx, t.server, t.bot.String())
		if ctx.Err() != nil {
			return
		}
		words, wait := "ok", tokenAPILater
		if finding.State == doctor.Problem {
			words, wait = finding.Text, tokenAPISoon
		}
		if before := t.state(); before != words {
			t.words.Store(words)
			if words == "ok" {
				t.log.Info().Msg(finding.Text)
			} else {
				t.log.Warn().Str("do", finding.Do).Msg(finding.Text)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// closeTokens gives back what the server lent.
func closeTokens(server *tokens.API) error {
	ctx, cancel := context.WithTimeout(context.Background(), tokenAPIEnd)
	defer cancel()
	return server.Close(ctx)
}
