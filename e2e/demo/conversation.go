package main

import (
	"context"
	"errors"
	"fmt"

	"matrix-registration-bot/e2e/lab"
)

// converse plays the conversation, and fails at the first answer that is not
// what it should be.
func converse(ctx context.Context, site *lab.Site, ben *lab.Person) error {
	anna, err := open(ctx, site, site.Admin)
	if err != nil {
		return err
	}
	if err := anna.hears("help"); err != nil { // its greeting
		return err
	}
	if _, err := anna.asks("help", "create", "allow"); err != nil {
		return err
	}
	code, err := anna.creates()
	if err != nil {
		return err
	}
	if _, err := anna.asks("show "+code, code); err != nil {
		return err
	}
	if _, err := anna.asks("list", code); err != nil {
		return err
	}
	if err := spend(ctx, site, code); err != nil {
		return err
	}
	if _, err := anna.asks("show "+code, "used up"); err != nil {
		return err
	}
	if err := share(ctx, site, anna, ben); err != nil {
		return err
	}
	if _, err := anna.asks("delete "+code, code); err != nil {
		return err
	}
	tokens, err := site.Tokens(ctx)
	if _, there := tokens[code]; there {
		err = fmt.Errorf("the homeserver still has %s", code)
	}
	return err
}

// creates asks for a token, hears also the message for a friend, and returns the
// token's text.
func (v *voice) creates() (code string, err error) {
	answer, err := v.asks("create")
	if err != nil {
		return "", err
	}
	if len(answer.Codes()) == 0 {
		return "", errors.New("the bot's answer should show a code")
	}
	code = answer.Codes()[0]
	return code, v.hears(code)
}

// spend registers a newcomer with the code, and sees the next one being refused.
func spend(ctx context.Context, site *lab.Site, code string) error {
	narrate("Anna sends the message to Clara, who registers an account with the code.")
	if err := site.SignUp(ctx, "clara", "correct horse battery", code); err != nil {
		return err
	}
	narrate("It worked: Clara is %s now. Dora tries the same code.", site.UserID("clara"))
	err := site.SignUp(ctx, "dora", "correct horse battery", code)
	switch {
	case err == nil:
		return fmt.Errorf("the homeserver took %s a second time", code)
	case !errors.Is(err, lab.ErrTokenRefused):
		return err
	}
	narrate("The homeserver refuses it: %v.", lab.ErrTokenRefused)
	return nil
}

// share lets somebody else invite people too, for a while.
func share(ctx context.Context, site *lab.Site, anna *voice, person *lab.Person) error {
	if _, err := anna.asks("allow "+person.UserID.String()+" manager", person.UserID.String(), "manager"); err != nil {
		return err
	}
	ben, err := open(ctx, site, person)
	if err != nil {
		return err
	}
	if err := ben.hears("help"); err != nil {
		return err
	}
	if _, err := ben.creates(); err != nil {
		return err
	}
	if _, err := anna.asks("disallow "+person.UserID.String(), person.UserID.String()); err != nil {
		return err
	}
	_, err = ben.asks("create", site.Admin.UserID.String()) // whom to ask
	return err
}
