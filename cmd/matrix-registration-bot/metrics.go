//go:build goolm

package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"matrix-registration-bot/metrics"
	"matrix-registration-bot/store"
	"matrix-registration-bot/tokens"
)

// counted counts the requests of a client of the named API.
func counted(m *metrics.Metrics, api string, client *http.Client) *http.Client {
	counting := *client
	counting.Transport = m.Calls(api, client.Transport)
	return &counting
}

// tally counts the tokens by state whenever the look for news reads all of them;
// what commands read is not counted.
type tally struct {
	*tokens.API
	metrics *metrics.Metrics
}

// List implements news.Server.
func (t tally) List(ctx context.Context) ([]tokens.Token, error) {
	list, err := t.API.List(ctx)
	if err == nil {
		now := time.Now()
		states := map[string]int{string(tokens.Valid): 0, string(tokens.Used): 0, string(tokens.Expired): 0, string(tokens.Revoked): 0}
		for _, token := range list {
			states[string(token.State(now))]++
		}
		t.metrics.Tokens(states, now)
	}
	return list, err
}

// serveMetrics serves until ctx ends. The bot can be used without metrics, so a
// failure is only logged.
func (a *app) serveMetrics(ctx context.Context, serve func(context.Context) error) {
	if err := serve(ctx); err != nil {
		a.log.Error().Err(err).Msg("There are no metrics any more; the bot goes on without them")
	}
}

// snapshot is what the metrics ask for at each scrape.
func (a *app) snapshot(ctx context.Context) metrics.Snapshot {
	inbox, outbox, err := a.db.Backlog(ctx)
	status := a.bot.Status()
	s := metrics.Snapshot{Up: map[string]bool{
		"database":   err == nil && a.intake.works(),
		"homeserver": status.Homeserver == "ok",
		"way_back":   status.WayBack == "ok" || strings.HasPrefix(status.WayBack, "unknown"),
		"token_api":  a.tokenAPI.state() == "ok",
	}}
	if err != nil {
		a.log.Debug().Err(err).Msg("The metrics lack what waits")
		return s
	}
	now := time.Now()
	s.Inbox, s.Outbox = waiting(inbox, now), waiting(outbox, now)
	return s
}

func waiting(q store.Queue, now time.Time) *metrics.Queue {
	if q.Length == 0 {
		return &metrics.Queue{}
	}
	return &metrics.Queue{Length: q.Length, Age: max(0, now.Sub(q.Oldest))}
}
