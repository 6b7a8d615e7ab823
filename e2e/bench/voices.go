package main

import (
	"context"
	"fmt"
	"time"

	"matrix-registration-bot/e2e/lab"
)

// voices are the chats of one kind, plain or encrypted.
type voices struct {
	kind     string
	bot      *lab.Chat // a person's with the bot
	one, two *lab.Chat // two people's with each other, as each of them sees it
}

// gather opens all chats.
func gather(ctx context.Context, l *lab.Lab, site *lab.Site) (plain, sealed voices, err error) {
	people := make(map[string]*lab.Person)
	for _, name := range []string{"anna", "ben", "uma", "vera"} {
		if people[name], err = site.NewPerson(ctx, name); err != nil {
			return plain, sealed, err
		}
	}
	for _, name := range []string{"uma", "vera"} {
		if err = l.Encrypt(ctx, people[name]); err != nil {
			return plain, sealed, err
		}
	}
	admin, err := site.Admin.DM(ctx, site.Bot.UserID)
	if err != nil {
		return plain, sealed, err
	}
	if _, err = admin.Hear(ctx); err != nil { // its greeting
		return plain, sealed, err
	}
	for _, name := range []string{"anna", "uma"} {
		if _, err = admin.Ask(ctx, "allow "+people[name].UserID.String()+" manager"); err != nil {
			return plain, sealed, err
		}
	}
	if plain, err = open(ctx, "plain", site, people["anna"], people["ben"]); err == nil {
		sealed, err = open(ctx, "encrypted", site, people["uma"], people["vera"])
	}
	return plain, sealed, err
}

func open(ctx context.Context, kind string, site *lab.Site, one, two *lab.Person) (v voices, err error) {
	v.kind = kind
	if v.bot, err = one.DM(ctx, site.Bot.UserID); err != nil {
		return v, err
	}
	if _, err = v.bot.Hear(ctx); err != nil { // its greeting
		return v, err
	}
	if v.one, err = one.InviteToDM(ctx, two.UserID); err != nil {
		return v, err
	}
	if _, err = two.Join(ctx, v.one); err != nil {
		return v, err
	}
	v.two = two.Enter(v.one.RoomID, one.UserID)
	if _, err = v.one.Until(ctx, two.UserID, "join"); err != nil {
		return v, err
	}
	if _, err = carry(ctx, v, 1); err != nil {
		return v, fmt.Errorf("the first message between people: %w", err)
	}
	return v, nil
}

// carry has one person say something n times and the other hear it all.
func carry(ctx context.Context, v voices, n int) (time.Duration, error) {
	began := time.Now()
	for range n {
		if _, err := v.one.Say(ctx, "whoami"); err != nil {
			return 0, err
		}
	}
	for range n {
		if _, err := v.two.Hear(ctx); err != nil {
			return 0, err
		}
	}
	return time.Since(began), nil
}

// command gives the bot a command n times and hears all answers, each of so many
// messages. It returns how long it took to the first message of the last answer.
func command(ctx context.Context, v voices, text string, n, messages int) (took time.Duration, err error) {
	began := time.Now()
	for range n {
		if _, err := v.bot.Say(ctx, text); err != nil {
			return 0, err
		}
	}
	for heard := range n * messages {
		if _, err := v.bot.Hear(ctx); err != nil {
			return 0, err
		}
		if heard <= (n-1)*messages {
			took = time.Since(began)
		}
	}
	return took, nil
}
