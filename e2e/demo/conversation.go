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
	if _, err := anna.asks("help", "create", "show", "list", "allow", "disallow", "delete"); err != nil {
		return err
	}
	code, err := anna.makes(`create uses=2 expires=14d note="for the chess club"`, "2 accounts", "chess club")
	if err != nil {
		return err
	}
	if err := join(ctx, site, anna, code); err != nil {
		return err
	}
	if _, err := anna.asks("show "+code, "1 made so far", "1 left"); err != nil {
		return err
	}
	if _, err := anna.asks("list", code, "1 use left"); err != nil {
		return err
	}
	if _, err := anna.asks("update "+code+" uses=5", "4 uses left"); err != nil {
		return err
	}
	if err := anna.inGerman(code); err != nil {
		return err
	}
	if code, err = replace(ctx, site, anna, code); err != nil {
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

// makes asks for a new token, hears also the message for a friend, and returns the
// token's text: the last code that the answer shows.
func (v *voice) makes(command string, words ...string) (code string, err error) {
	answer, err := v.asks(command, words...)
	if err != nil {
		return "", err
	}
	codes := answer.Codes()
	if len(codes) == 0 {
		return "", errors.New("the bot's answer should show a code")
	}
	code = codes[len(codes)-1]
	return code, v.hears(code)
}

// inGerman has the bot speak German for one answer.
func (v *voice) inGerman(code string) error {
	if _, err := v.asks("language de", "Deutsch"); err != nil {
		return err
	}
	if _, err := v.asks("liste", code, "noch 4 Nutzungen"); err != nil {
		return err
	}
	_, err := v.asks("language en", "English")
	return err
}

// join registers a newcomer with the code, and sees that the inviter is told.
func join(ctx context.Context, site *lab.Site, anna *voice, code string) error {
	narrate("Anna sends that message to Clara, who registers an account with the code.")
	if err := site.SignUp(ctx, "clara", "correct horse battery", code); err != nil {
		return err
	}
	narrate("It worked. Anna hears of it without asking.")
	return anna.hears("Somebody registered", code, site.UserID("clara").String(), "1 use left", "chess club")
}

// replace gives a code that became known a new text. Nobody gets in with the old one.
func replace(ctx context.Context, site *lab.Site, anna *voice, old string) (code string, err error) {
	narrate("Somebody has put the code on the web.")
	if code, err = anna.makes("rotate "+old, "4 accounts", "chess club"); err != nil {
		return "", err
	}
	narrate("Dora found the old code, and tries it.")
	return code, turnedAway(ctx, site, old)
}

// turnedAway tries a code that must not let anybody in.
func turnedAway(ctx context.Context, site *lab.Site, code string) error {
	err := site.SignUp(ctx, "dora", "correct horse battery", code)
	switch {
	case err == nil:
		return fmt.Errorf("the homeserver took %s, which should not be good any more", code)
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
	code, err := ben.makes("create", "one account")
	if err != nil {
		return err
	}
	if err := useUp(ctx, site, ben, code); err != nil {
		return err
	}
	if _, err := anna.asks("disallow "+person.UserID.String(), person.UserID.String()); err != nil {
		return err
	}
	_, err = ben.asks("create", site.Admin.UserID.String()) // whom to ask
	return err
}

// useUp registers somebody with the only use of a code. Nobody gets in with it after that.
func useUp(ctx context.Context, site *lab.Site, ben *voice, code string) error {
	narrate("Emil registers with Ben's code.")
	if err := site.SignUp(ctx, "emil", "correct horse battery", code); err != nil {
		return err
	}
	if err := ben.hears("Somebody registered", code, site.UserID("emil").String(), "0 uses left"); err != nil {
		return err
	}
	narrate("Dora tries this code, too.")
	return turnedAway(ctx, site, code)
}
