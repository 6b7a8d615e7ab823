package commands

import (
	"context"
	"errors"
	"fmt"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

func show() *Command {
	return &Command{
		Name:   "show",
		Role:   access.Inviter,
		Secret: true,
		Run:    showTokens,
	}
}

func showTokens(ctx context.Context, r *Request) (Reply, error) {
	found, err := r.lookUp(ctx)
	if err != nil {
		return Reply{}, err
	}
	var blocks []locale.Text
	for _, f := range found {
		if f.failure != "" {
			blocks = append(blocks, r.failure(f.failure, f.text))
		} else {
			users, err := r.Store.Users(ctx, f.text)
			if err != nil {
				return Reply{}, fmt.Errorf("reading who used a token: %w", err)
			}
			blocks = append(blocks, r.describe(f.token, f.maker, users))
		}
	}
	return pack(locale.Paragraphs, blocks), nil
}

// finding is what is known about a token that a person named: the token and
// its maker, or why there is nothing.
type finding struct {
	text    string
	token   tokens.Token
	maker   Maker
	failure string // locale key
}

// lookUp finds the tokens that the arguments name, each once. Those that the
// person may not know of are unknown to them.
func (r *Request) lookUp(ctx context.Context) ([]finding, error) {
	if len(r.Args) == 0 {
		return nil, r.mistake("token.which", locale.Args{"command": r.Command.Name})
	}
	made, err := r.Store.Made(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the makers: %w", err)
	}
	var found []finding
	seen := make(map[string]bool)
	for _, text := range r.Args {
		if seen[text] {
			continue
		}
		seen[text] = true
		f := finding{text: text, maker: made[text]}
		f.token, err = r.Server.Get(ctx, text)
		switch {
		case errors.Is(err, tokens.ErrNotFound) && tokens.Validate(text) != nil:
			f.failure = failureKey(tokens.ErrBadText)
		case errors.Is(err, tokens.ErrNotFound), err == nil && !r.sees(f.maker):
			f.failure = failureKey(tokens.ErrNotFound)
		case err != nil:
			return nil, err
		}
		found = append(found, f)
	}
	return found, nil
}

// lookUpOne finds the token that the only argument names.
func (r *Request) lookUpOne(ctx context.Context) (finding, error) {
	found, err := r.lookUp(ctx)
	if err != nil {
		return finding{}, err
	}
	if f := found[0]; f.failure != "" {
		return f, r.mistake(f.failure, locale.Args{"token": excerpt(f.text)})
	}
	return found[0], nil
}

// makerOf returns who made a token, and what they wrote down about it.
func (r *Request) makerOf(ctx context.Context, token string) (Maker, error) {
	made, err := r.Store.Made(ctx)
	if err != nil {
		return Maker{}, fmt.Errorf("reading the makers: %w", err)
	}
	return made[token], nil
}

// describe says everything about a token.
func (r *Request) describe(token tokens.Token, maker Maker, users []User) locale.Text {
	head := r.text("show."+string(token.State(r.Now)), locale.Args{"token": token.Text})
	uses := r.text("show.unlimited", locale.Args{"n": token.Completed})
	if left, limited := token.Left(); limited {
		uses = r.text("show.uses", locale.Args{"n": *token.Uses, "used": token.Completed, "left": left})
	}
	facts := []locale.Text{uses}
	if token.Pending > 0 {
		facts = append(facts, r.text("show.pending", locale.Args{"n": token.Pending}))
	}
	made := r.madeBy(maker.User)
	if maker.User != "" {
		made = locale.Join(", ", made, r.language.When(maker.At.In(r.Now.Location()), r.Now))
	}
	facts = append(append(facts, r.expiry(token), made), r.remarks(maker)...)
	facts = append(facts, r.registered(users)...)
	return locale.Lines(head, locale.List(facts...))
}

// registered says who registered with a token, as far as it is known.
func (r *Request) registered(users []User) (lines []locale.Text) {
	const most = 20
	for _, user := range users[:min(most, len(users))] {
		key := "show.user"
		if !user.Certain {
			key = "show.user_probably"
		}
		lines = append(lines, r.text(key, locale.Args{"user": user.ID, "when": r.language.When(user.At.In(r.Now.Location()), r.Now)}))
	}
	if more := len(users) - len(lines); more > 0 {
		lines = append(lines, r.text("show.users_more", locale.Args{"n": more}))
	}
	return lines
}
