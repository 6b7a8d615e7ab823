package main

import (
	"context"
	"math/rand/v2"

	"maunium.net/go/mautrix/event"

	"matrix-registration-bot/e2e/lab"
)

// gather lets people with the role admin open rooms with the bot: plain direct
// chats, encrypted ones, and an encrypted group.
func gather(ctx context.Context, l *lab.Lab, site *lab.Site, seed uint64) (voices []*voice, err error) {
	person := func(name string, encrypted bool) *lab.Person {
		var p *lab.Person
		if err == nil {
			p, err = site.NewPerson(ctx, name)
		}
		if err == nil && encrypted {
			err = l.Encrypt(ctx, p)
		}
		return p
	}
	speaks := func(name string, chat *lab.Chat, prefix string) {
		random := rand.New(rand.NewPCG(seed, uint64(len(voices)+1)))
		voices = append(voices, &voice{name: name, chat: chat, prefix: prefix, random: random})
	}
	direct := func(name string, encrypted bool) {
		p := person(name, encrypted)
		if err != nil {
			return
		}
		chat, failed := p.DM(ctx, site.Bot.UserID)
		if err = failed; err == nil {
			_, err = chat.Hear(ctx) // the greeting
		}
		speaks(name, chat, "")
	}

	if err := admitAdmins(ctx, site); err != nil {
		return nil, err
	}
	for _, name := range []string{"anna", "ben", "clara"} {
		direct(name, false)
	}
	for _, name := range []string{"dora", "emil"} {
		direct(name, true)
	}
	host, guest := person("frida", true), person("georg", true)
	if err != nil {
		return nil, err
	}
	group, err := host.Group(ctx, site.Bot.UserID, guest)
	if err != nil {
		return nil, err
	}
	if _, err := group.Hear(ctx); err != nil { // the greeting
		return nil, err
	}
	joined, err := guest.Join(ctx, group)
	if err != nil {
		return nil, err
	}
	// Until it has seen the room, a client does not know that it has to encrypt.
	if _, err := joined.Until(ctx, site.Bot.UserID, event.MembershipJoin); err != nil {
		return nil, err
	}
	speaks("frida", group, "!reg ")
	speaks("georg", joined, "!reg ")
	return voices, nil
}

// admitAdmins makes everybody of this homeserver an admin of the bot.
func admitAdmins(ctx context.Context, site *lab.Site) error {
	chat, err := site.Admin.DM(ctx, site.Bot.UserID)
	if err != nil {
		return err
	}
	if _, err := chat.Hear(ctx); err != nil { // the greeting
		return err
	}
	_, err = chat.Ask(ctx, "allow "+everybody+" admin")
	return err
}
