package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"matrix-registration-bot/e2e/lab"
)

// settle lets everybody hear all that the bot has to say.
func settle(ctx context.Context, site *lab.Site, voices []*voice) error {
	if err := site.Settled(ctx); err != nil {
		return err
	}
	ledger, err := site.Bot.Ledger()
	if err != nil {
		return err
	}
	defer ledger.Close()
	for _, v := range voices {
		for v.waits() > 0 {
			if err := v.listen(ctx); err != nil {
				return errors.Join(err, v.unanswered(ctx, ledger))
			}
		}
	}
	if err := ledger.Idle(ctx); err != nil {
		return err
	}
	// Whatever else it had to say is heard before the answer to a last command.
	for _, v := range voices {
		last := &command{text: "help", says: []string{"create"}}
		if last.event, err = v.chat.Say(ctx, v.prefix+last.text); err != nil {
			return err
		}
		v.given = append(v.given, last)
	}
	for _, v := range voices {
		for v.waits() > 0 {
			if err := v.listen(ctx); err != nil {
				return fmt.Errorf("%s has no answer to the last command: %w", v.name, err)
			}
		}
	}
	return nil
}

// unanswered says of each command without an answer what the bot knows of it.
func (v *voice) unanswered(ctx context.Context, ledger *lab.Ledger) error {
	var missing []error
	for _, c := range v.given {
		if len(v.heard[c.event]) > 0 {
			continue
		}
		entry, err := ledger.Entry(ctx, c.event)
		missing = append(missing, fmt.Errorf("%s has no answer to %q (%s): %+v", v.name, c.text, c.event, entry), err)
	}
	return errors.Join(missing...)
}

// account checks that everything has happened once and nothing twice.
func account(ctx context.Context, site *lab.Site, voices []*voice) error {
	ledger, err := site.Bot.Ledger()
	if err != nil {
		return err
	}
	defer ledger.Close()
	if err := ledger.Idle(ctx); err != nil {
		return err
	}
	var wrong []error
	var tokens []string
	users := []string{everybody}
	for _, v := range voices {
		made, errs := v.answers()
		tokens = append(append(tokens, made...), v.tokens...)
		users = append(users, v.users...)
		wrong = append(wrong, errs...)
		for _, c := range v.given {
			if err := c.booked(ctx, ledger); err != nil {
				wrong = append(wrong, fmt.Errorf("%s, %q (%s): %w", v.name, c.text, c.event, err))
			}
		}
	}
	standing, err := site.Tokens(ctx)
	if err != nil {
		return err
	}
	var have []string
	for token := range standing {
		have = append(have, token)
	}
	wrong = append(wrong, compare("tokens on the server", have, tokens))
	allowed, err := ledger.AllowList(ctx)
	if err != nil {
		return err
	}
	wrong = append(wrong, compare("entries of the allow-list", allowed, users))
	return errors.Join(wrong...)
}

// answers checks what a voice has heard, and returns the tokens that the bot
// has drawn for it.
func (v *voice) answers() (drawn []string, wrong []error) {
	for _, c := range v.given {
		answers := v.heard[c.event]
		if len(answers) != 1 {
			wrong = append(wrong, fmt.Errorf("%s, %q (%s): %d answers", v.name, c.text, c.event, len(answers)))
			continue
		}
		answer := answers[0]
		for _, words := range c.says {
			if !strings.Contains(answer.Body, words) {
				wrong = append(wrong, fmt.Errorf("%s, %q (%s): the answer does not say %q: %s", v.name, c.text, c.event, words, answer.Body))
			}
		}
		if !c.makes || len(answer.Codes()) == 0 {
			continue
		}
		token := answer.Codes()[0]
		if c.text == "create" {
			drawn = append(drawn, token)
		}
		if n := v.forwards(token); n != 1 {
			wrong = append(wrong, fmt.Errorf("%s, %q (%s): %d messages to forward", v.name, c.text, c.event, n))
		}
	}
	return drawn, wrong
}

// forwards counts the messages to be forwarded that hold a token.
func (v *voice) forwards(token string) (n int) {
	for _, message := range v.passed {
		if slices.Contains(strings.Fields(message.Body), token) {
			n++
		}
	}
	return n
}

// booked checks the bot's database.
func (c *command) booked(ctx context.Context, ledger *lab.Ledger) error {
	entry, err := ledger.Entry(ctx, c.event)
	if err != nil {
		return err
	}
	messages := 1
	if c.makes {
		messages = 2
	}
	return errors.Join(
		all("inbox", entry.Inbox, 1, "handled"),
		all("steps", entry.Steps, c.steps, "done"),
		all("outbox", entry.Messages, messages, "delivered"),
		all("audit", entry.Audit, c.effects, "done"),
	)
}

func all(what string, got []string, n int, want string) error {
	if slices.Equal(got, slices.Repeat([]string{want}, n)) {
		return nil
	}
	return fmt.Errorf("%s: %q, want %d %s", what, got, n, want)
}

func compare(what string, got, want []string) error {
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if slices.Equal(got, want) {
		return nil
	}
	var missing, surplus []string
	for _, w := range want {
		if !slices.Contains(got, w) {
			missing = append(missing, w)
		}
	}
	for _, g := range got {
		if !slices.Contains(want, g) {
			surplus = append(surplus, g)
		}
	}
	return fmt.Errorf("%d %s, want %d: missing %q, too many %q", len(got), what, len(want), missing, surplus)
}
