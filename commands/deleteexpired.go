package commands

import (
	"context"
	"fmt"

	"matrix-registration-bot/access"
	"matrix-registration-bot/tokens"
)

// deleteExpiredName is also called by `delete expired`.
const deleteExpiredName = "delete-expired"

func removeExpired() *Command {
	return &Command{
		Name:      deleteExpiredName,
		Role:      access.Inviter,
		Wordless:  true,
		Secret:    true,
		Differs:   deleteDiffers,
		Run:       askDeleteExpired,
		Confirmed: planDeleteExpired,
		Report:    reportDeleteAll,
	}
}

// askDeleteExpired asks before it deletes more than a glance can check.
func askDeleteExpired(ctx context.Context, r *Request) (Reply, error) {
	const few = 5
	expired, err := r.expiredTokens(ctx)
	switch {
	case err != nil:
		return Reply{}, err
	case len(expired) == 0:
		return say(r.text("list.none_expired", nil)), nil
	case len(expired) > few:
		return r.askAbout("delete-expired.question", textsOf(expired)), nil
	}
	return deletion(expired), nil
}

// planDeleteExpired leaves out what has been renewed since the question, and
// what has expired since.
func planDeleteExpired(ctx context.Context, r *Request) (Reply, error) {
	expired, err := r.expiredTokens(ctx)
	if err != nil {
		return Reply{}, err
	}
	asked := make(map[string]bool, len(r.Question.Tokens))
	for _, text := range r.Question.Tokens {
		asked[text] = true
	}
	var still []tokens.Token
	for _, token := range expired {
		if asked[token.Text] {
			still = append(still, token)
		}
	}
	if len(still) == 0 {
		return say(r.text("list.none_expired", nil)), nil
	}
	return deletion(still), nil
}

// expiredTokens are those that the person may delete.
func (r *Request) expiredTokens(ctx context.Context) ([]tokens.Token, error) {
	list, err := r.Server.List(ctx)
	if err != nil {
		return nil, err
	}
	made, err := r.Store.Made(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the makers: %w", err)
	}
	var expired []tokens.Token
	for _, token := range list {
		if token.State(r.Now) == tokens.Expired && r.sees(made[token.Text]) {
			expired = append(expired, token)
		}
	}
	return expired, nil
}

func textsOf(list []tokens.Token) []string {
	var texts []string
	for _, token := range list {
		texts = append(texts, token.Text)
	}
	return texts
}

// deletion plans to delete tokens as they stand.
func deletion(list []tokens.Token) Reply {
	var reply Reply
	for _, token := range list {
		reply.Steps = append(reply.Steps, Step{Kind: StepDelete, Token: token.Text, State: StepPlanned, Seen: &token})
	}
	return reply
}
