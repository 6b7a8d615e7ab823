package commands

import (
	"context"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
)

func notify() *Command {
	return &Command{Name: "notify", Role: access.Inviter, Stored: true, Run: chooseNews}
}

func chooseNews(ctx context.Context, r *Request) (Reply, error) {
	if len(r.Args) > 0 {
		switch word := r.Args[0]; {
		case len(r.Args) == 1 && r.meaning(word) == "on":
			r.Person.Notify = true
		case len(r.Args) == 1 && r.meaning(word) == "off":
			r.Person.Notify = false
		default:
			return Reply{}, r.mistake("notify.surplus", locale.Args{"word": excerpt(r.Args[len(r.Args)-1])})
		}
		if err := r.savePerson(ctx); err != nil {
			return Reply{}, err
		}
	}
	if r.Person.Notify {
		return say(r.text("notify.on", nil)), nil
	}
	return say(r.text("notify.off", nil)), nil
}
