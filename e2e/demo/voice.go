package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"matrix-registration-bot/e2e/lab"
)

// voice is one person's side of the conversation, printed as it goes.
type voice struct {
	ctx  context.Context
	name string
	chat *lab.Chat
}

// open starts a direct chat with the bot.
func open(ctx context.Context, site *lab.Site, person *lab.Person) (*voice, error) {
	name := person.UserID.Localpart()
	narrate("%s opens an encrypted chat with %s.", name, site.Bot.UserID)
	chat, err := person.DM(ctx, site.Bot.UserID)
	if err != nil {
		return nil, err
	}
	return &voice{ctx: ctx, name: name, chat: chat}, nil
}

// asks says something and hears the answer, which must hold all of these words.
func (v *voice) asks(text string, words ...string) (lab.Message, error) {
	utter(v.name, text)
	answer, err := v.chat.Ask(v.ctx, text)
	if err != nil {
		return answer, err
	}
	return answer, check(answer, words)
}

// hears is the bot's next message, which must hold all of these words.
func (v *voice) hears(words ...string) error {
	message, err := v.chat.Hear(v.ctx)
	if err != nil {
		return err
	}
	return check(message, words)
}

func check(message lab.Message, words []string) error {
	utter("bot", message.Body)
	if !message.Encrypted {
		return errors.New("the bot's answer should be encrypted")
	}
	for _, word := range words {
		if !strings.Contains(message.Body, word) {
			return fmt.Errorf("the bot's answer should hold %q", word)
		}
	}
	return nil
}

// utter prints what somebody said, beside their name.
func utter(name, text string) {
	fmt.Println()
	for line := range strings.Lines(text) {
		fmt.Println(strings.TrimRight(fmt.Sprintf("%10s  %s", name, line), " \n"))
		name = ""
	}
}

// narrate prints what happens outside of the chat.
func narrate(format string, args ...any) {
	fmt.Printf("\n    -- "+format+"\n", args...)
}
