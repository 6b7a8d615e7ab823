package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
)

const (
	longestCommand = 8 << 10 // bytes
	mostWords      = 50      // after the command's name
)

// admit reads the message and lets the command pass if this person may give
// it here and now. It is the only such check.
func (d *Dispatcher) admit(ctx context.Context, r *Request) error {
	text, err := d.hear(ctx, r)
	if err != nil {
		return err
	}
	if err := d.identify(ctx, r); err != nil {
		return err
	}
	words, unreadable := r.takeApart(text)
	if len(words) > 0 {
		r.Command = d.table.find(words[0])
	}
	if err := r.checkRate(ctx); err != nil {
		return err
	}
	switch oldest := r.Settings.MaxCommandAge; {
	case oldest > 0 && r.Waited > oldest:
		return r.mistake("waited", locale.Args{"span": r.language.Span(r.Waited)})
	case r.Settings.EncryptionRequired && !r.Encrypted:
		return r.refuse("encryption.required", nil)
	case unreadable != nil:
		return unreadable
	case len(words) == 0:
		return r.mistake("parse.empty", nil)
	case r.Command == nil:
		return r.unknown(words[0])
	case r.Role < r.Command.Role:
		return r.refuseRole()
	case r.Command.Secret && r.overheard():
		return r.mistake("parse.overheard", nil)
	case len(words)-1 > mostWords:
		return r.mistake("parse.too_many", locale.Args{"n": mostWords})
	}
	return r.readWords(words[1:])
}

// refuseRole says that the command takes a higher role.
func (r *Request) refuseRole() error { return r.refuse("access.refused", r.lacking(r.Command)) }

// lacking tells which role a command takes and the person does not have.
func (r *Request) lacking(command *Command) locale.Args {
	return locale.Args{"command": command.Name, "needed": command.Role, "role": r.Role, "ask": r.whomToAsk()}
}

// hear returns what was said to the bot, without prefix and mention. A
// reaction says its key, if it answers an open question to this person. Of a
// command that is structured too only that form counts, if it is for the bot.
func (d *Dispatcher) hear(ctx context.Context, r *Request) (string, error) {
	if r.Structured != nil && (r.Direct || r.Mentioned) {
		return "", nil
	}
	r.Structured = nil
	if r.Reaction == nil {
		text, addressed := address{d.Bot, r.Settings.DisplayName, r.Settings.Prefix}.strip(r.Message)
		if !addressed {
			return "", errUnaddressed
		}
		return text, nil
	}
	word := strings.ToLower(trim(r.Reaction.Key))
	if word != confirmWord && word != cancelWord {
		return "", errUnaddressed
	}
	question, open, err := d.Store.Question(ctx, r.Reaction.Question)
	if err != nil {
		return "", fmt.Errorf("reading the question: %w", err)
	}
	if !open || question.Asker != r.Sender || question.RoomID != r.RoomID {
		return "", errUnaddressed
	}
	r.Question = &question
	return word, nil
}

// checkRate answers the first command above the limit, and none after it until
// the person has been slower.
func (r *Request) checkRate(ctx context.Context) error {
	limit := r.limits().PerMinute
	if limit == 0 {
		return nil
	}
	count, err := r.Store.CountCommands(ctx, r.Sender, r.Now.Add(-time.Minute))
	switch {
	case err != nil:
		return fmt.Errorf("counting commands: %w", err)
	case count < limit:
		return nil
	case count == limit:
		return r.refuse("limit.per_minute", locale.Args{"n": limit})
	}
	return errSilence
}

func (r *Request) unknown(word string) error {
	if near := r.table.nearest(word, r.Role, r.abilities()); near != "" {
		return r.mistake("parse.nearest", locale.Args{"word": excerpt(word), "command": near})
	}
	return r.mistake("parse.unknown", locale.Args{"word": excerpt(word)})
}

// readWords tells options from arguments, for commands that take options.
func (r *Request) readWords(words []string) error {
	r.Words = words
	if len(r.Command.Options) == 0 {
		r.Args = words
		return nil
	}
	r.Args, r.Options = nil, make(map[string]string)
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		key, value, valueFollows, ok := option(word)
		if !ok {
			r.Args = append(r.Args, word)
			continue
		}
		if valueFollows && len(words) > 0 {
			value, words = words[0], words[1:]
		}
		if known := r.meaning(key); slices.Contains(r.Command.Options, known) {
			key = known
		}
		_, twice := r.Options[key]
		args := locale.Args{"option": excerpt(key), "command": r.Command.Name, "options": strings.Join(r.Command.Options, ", ")}
		switch {
		case !slices.Contains(r.Command.Options, key):
			return r.mistake("option.unknown", args)
		case value == "":
			return r.mistake("option.empty", args)
		case twice:
			return r.mistake("option.twice", args)
		}
		r.Options[key] = value
	}
	return nil
}

// whomToAsk names those who can give people a role.
func (r *Request) whomToAsk() locale.Text {
	admins := r.Settings.Admins()
	if len(admins) == 0 {
		return r.text("access.ask_nobody", nil)
	}
	const most = 3
	var names []locale.Text
	for _, admin := range admins[:min(most, len(admins))] {
		names = append(names, locale.Code(admin))
	}
	return locale.Join(", ", names...)
}

// Admins are the people that the config names as admins, sorted.
func (s Settings) Admins() []string {
	var admins []string
	for who, role := range s.Permissions {
		if strings.HasPrefix(who, "@") && role == access.Admin {
			admins = append(admins, who)
		}
	}
	slices.Sort(admins)
	return admins
}
