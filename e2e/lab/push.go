package lab

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
)

// Push sends the bot a transaction the way a homeserver does, and returns the
// status and body of its answer.
func (b *Bot) Push(ctx context.Context, transaction, body string) (status int, answer string, err error) {
	return b.push(ctx, transaction, strings.NewReader(body))
}

// BeginPush is Push up to the moment in which the bot waits for the body, which
// finish sends.
func (b *Bot) BeginPush(ctx context.Context, transaction, body string) (finish func() (status int, answer string, err error), err error) {
	type outcome struct {
		status int
		answer string
		err    error
	}
	reads := make(chan struct{})
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got100Continue: func() { close(reads) }})
	rest, sender := io.Pipe()
	ended := make(chan outcome, 1)
	go func() {
		var o outcome
		o.status, o.answer, o.err = b.push(ctx, transaction, rest)
		ended <- o
	}()
	select {
	case <-reads:
	case o := <-ended:
		return nil, fmt.Errorf("the bot did not wait for the body of a transaction: %d %s: %w", o.status, o.answer, o.err)
	}
	return func() (int, string, error) {
		_, err := io.WriteString(sender, body)
		_ = sender.CloseWithError(err)
		o := <-ended
		return o.status, o.answer, o.err
	}, nil
}

func (b *Bot) push(ctx context.Context, transaction string, body io.Reader) (status int, answer string, err error) {
	url := b.URL + "/_matrix/app/v1/transactions/" + transaction
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, url, body)
	if err != nil {
		return 0, "", fmt.Errorf("pushing a transaction: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+b.HSToken)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Expect", "100-continue")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", fmt.Errorf("pushing a transaction: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, "", fmt.Errorf("pushing a transaction: %w", err)
	}
	return response.StatusCode, strings.TrimSpace(string(text)), nil
}
