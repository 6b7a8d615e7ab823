package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// answerLimit is how much of an answer is read, in bytes.
const answerLimit = 1 << 20

// answer is what a server said.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	errcode string // Matrix error code, if there is one
	words   string // the server's words with it
}

// into decodes the body.
func (a answer) into(value any) error {
	if err := json.Unmarshal(a.body, value); err != nil {
		return fmt.Errorf("the answer is no JSON: %w", err)
	}
	return nil
}

// call asks the homeserver at base. With asBot it speaks with the as_token as
// the bot.
func (p *Patient) call(ctx context.Context, method, base, path string, query url.Values, asBot bool, body any) (answer, error) {
	if asBot {
		if query == nil {
			query = url.Values{}
		}
		query.Set("user_id", p.Config.BotUserID())
	}
	return p.ask(ctx, method, base, path, query, asBot, body)
}

// ask is call without saying which of its users the appservice speaks as.
func (p *Patient) ask(ctx context.Context, method, base, path string, query url.Values, withToken bool, body any) (answer, error) {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return answer{}, err
		}
		content = bytes.NewReader(encoded)
	}
	target := strings.TrimSuffix(base, "/") + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return answer{}, err
	}
	if withToken {
		req.Header.Set("Authorization", "Bearer "+p.Registration.AsToken)
	}
	if content != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := p.HTTP.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, answerLimit)); err != nil {
		return answer{}, err
	}
	var failure struct {
		Errcode string `json:"errcode"`
		Error   string `json:"error"`
	}
	if json.Unmarshal(a.body, &failure) == nil {
		a.errcode, a.words = failure.Errcode, strings.TrimRight(failure.Error, ".")
	}
	return a, nil
}

func (p *Patient) homeserver() string { return p.Config.Homeserver.Address }

// oneLine writes an error of several lines into one.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
