package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/lab"
)

const (
	// everybody is who may do everything with the bot.
	everybody = "@*:lab.test"
	// mostAtOnce is how many commands of a person may wait for their answers.
	mostAtOnce = 3
)

// voice is a person who gives the bot commands in one room. The bot keeps their
// order, so that it is clear what each must lead to. One goroutine at a time.
type voice struct {
	name   string
	chat   *lab.Chat
	prefix string // of commands in this room
	random *rand.Rand

	given  []*command
	heard  map[id.EventID][]lab.Message // the bot's answers, by what they answer
	passed []lab.Message                // what the bot said to be forwarded
	tokens []string                     // of their own choice, which stand when all is done
	users  []string                     // whom they have put on the allow-list
	names  int                          // that they have given to tokens and users
}

// command is what a voice has said, and what must come of it.
type command struct {
	event   id.EventID
	text    string
	says    []string // words of the answer
	makes   bool     // a token: the answer shows it, and another message is to be forwarded
	steps   int      // of its plan
	effects int      // in the audit
}

// talk gives commands until the context ends, which is no error.
func (v *voice) talk(ctx context.Context) error {
	v.heard = make(map[id.EventID][]lab.Message)
	for ctx.Err() == nil {
		c := v.think()
		// This one is said to its end: nobody could know whether it was.
		sent, err := v.chat.Say(context.WithoutCancel(ctx), v.prefix+c.text)
		if err != nil {
			return err
		}
		c.event = sent
		v.given = append(v.given, c)
		for v.waits() >= mostAtOnce && ctx.Err() == nil {
			// No answer for a while is fine: the bot is killed again and again.
			if err := v.listen(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
				return err
			}
		}
	}
	return nil
}

// think draws a command.
func (v *voice) think() *command {
	switch v.random.IntN(10) {
	case 0, 1, 2:
		return &command{text: "create", says: []string{"I made the token"}, makes: true, steps: 1, effects: 1}
	case 3, 4, 5:
		token := v.newName()
		v.tokens = append(v.tokens, token)
		return &command{
			text: "create token=" + token, says: []string{"I made the token " + token}, makes: true, steps: 1, effects: 1,
		}
	case 6, 7:
		gone := v.tokens[:min(1+v.random.IntN(2), len(v.tokens))]
		if len(gone) == 0 {
			break
		}
		c := &command{text: "delete " + strings.Join(gone, " "), steps: len(gone), effects: len(gone)}
		for _, token := range gone {
			c.says = append(c.says, token+" is deleted")
		}
		v.tokens = slices.Clone(v.tokens[len(gone):])
		return c
	case 8:
		user := "@" + v.newName() + ":friends.test"
		v.users = append(v.users, user)
		return &command{text: "allow " + user, says: []string{user, "manager"}, effects: 1}
	}
	return &command{text: "whoami", says: []string{"admin"}}
}

func (v *voice) newName() string {
	v.names++
	return fmt.Sprintf("%s-%d", v.name, v.names)
}

// listen hears the bot's next message.
func (v *voice) listen(ctx context.Context) error {
	message, err := v.chat.Hear(ctx)
	switch {
	case err != nil:
		return err
	case message.InReplyTo == "":
		v.passed = append(v.passed, message)
	default:
		v.heard[message.InReplyTo] = append(v.heard[message.InReplyTo], message)
	}
	return nil
}

// waits returns how many commands have no answer yet.
func (v *voice) waits() int {
	n := 0
	for _, c := range v.given {
		if len(v.heard[c.event]) == 0 {
			n++
		}
	}
	return n
}
