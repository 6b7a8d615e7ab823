package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// readyTime is the longest that anybody should have to wait for /ready.
const readyTime = 5 * time.Second

// errNotReady is an answer of /ready, unlike that there is none.
var errNotReady = errors.New("the bot says that it is not ready")

// Ready waits until the bot says that it is ready.
func (b *Bot) Ready(ctx context.Context) error {
	return b.process.until(ctx, "the bot is ready", func(ctx context.Context) error {
		_, err := b.readiness(ctx)
		return err
	})
}

// Reached waits until the homeserver has reached the bot, which then has done
// all that it does at a start.
func (b *Bot) Reached(ctx context.Context) error {
	return b.process.until(ctx, "the homeserver has reached the bot", func(ctx context.Context) error {
		words, err := b.readiness(ctx)
		if err == nil && !strings.Contains(words, `"way_back":"ok"`) {
			err = errors.New(words)
		}
		return err
	})
}

// Unready waits until the bot says that it is not ready, and returns its words.
// It must always answer within seconds.
func (b *Bot) Unready(ctx context.Context) (words string, err error) {
	for {
		words, err := b.readiness(ctx)
		switch {
		case errors.Is(err, errNotReady):
			return words, nil
		case err != nil:
			return "", err
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (b *Bot) readiness(ctx context.Context) (words string, err error) {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL+"/ready", nil)
	if err != nil {
		return "", fmt.Errorf("asking whether the bot is ready: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("asking whether the bot is ready: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("asking whether the bot is ready: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return string(body), fmt.Errorf("%w: %s %s", errNotReady, response.Status, body)
	}
	return string(body), nil
}
