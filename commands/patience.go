package commands

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"matrix-registration-bot/tokens"
)

// patience is how long the bot keeps asking a server that does not answer.
type patience struct {
	limit time.Duration // since the last success
	pause time.Duration // the first one, about; each is twice as long as the one before
}

const longestPause = 10 * time.Second

// waiter is patience at work.
type waiter struct {
	patience
	next     time.Duration
	deadline time.Time
}

func (p patience) begin() *waiter {
	return &waiter{patience: p, next: p.pause, deadline: time.Now().Add(p.limit)}
}

// wait pauses after an error. It returns false when patience or the context
// has ended.
func (w *waiter) wait(ctx context.Context, err error) bool {
	pause := w.next/2 + rand.N(w.next) // #nosec G404 -- no secret
	w.next = min(2*w.next, longestPause)
	var failure *tokens.Error
	if errors.As(err, &failure) {
		pause = max(pause, failure.RetryAfter)
	}
	if time.Now().Add(pause).After(w.deadline) {
		return false
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// patientLookup asks again when the server is away.
type patientLookup struct {
	server tokens.Server
	patience
}

func (l patientLookup) List(ctx context.Context) ([]tokens.Token, error) {
	return patiently(ctx, l.patience, l.server.List)
}

// ListValid may leave out what the server knows to be of no use any more.
func (l patientLookup) ListValid(ctx context.Context) ([]tokens.Token, error) {
	if filterer, ok := l.server.(tokens.Filterer); ok {
		return patiently(ctx, l.patience, filterer.ListValid)
	}
	return l.List(ctx)
}

func (l patientLookup) Get(ctx context.Context, text string) (tokens.Token, error) {
	return patiently(ctx, l.patience, func(ctx context.Context) (tokens.Token, error) { return l.server.Get(ctx, text) })
}

func patiently[T any](ctx context.Context, p patience, ask func(ctx context.Context) (T, error)) (T, error) {
	waiter := p.begin()
	for {
		answer, err := ask(ctx)
		if err == nil || !tokens.Temporary(err) || !waiter.wait(ctx, err) {
			return answer, err
		}
	}
}
