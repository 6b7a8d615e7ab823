package lab

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Push sends the bot a transaction the way a homeserver does, and returns the
// status and body of its answer.
func (b *Bot) Push(ctx context.Context, transaction, body string) (status int, answer string, err error) {
	url := b.URL + "/_matrix/app/v1/transactions/" + transaction
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		return 0, "", fmt.Errorf("pushing a transaction: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+b.HSToken)
	request.Header.Set("Content-Type", "application/json")
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
