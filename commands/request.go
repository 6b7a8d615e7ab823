package commands

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// Request is a command that somebody gave, and all that its handler may use.
type Request struct {
	Message
	Command  *Command
	Words    []string // what stands after the command, of which
	Args     []string
	Options  map[string]string // by lower-case key
	Question *Question         // what the person said yes or no to
	Role     access.Role
	Reasons  []access.Reason // why they have the role
	Person   Person
	Settings Settings
	Now      time.Time // in the zone of the settings

	Bot    id.UserID
	Server Lookup
	Store  Store
	Log    zerolog.Logger

	table     table
	abilities func() tokens.Abilities
	catalog   *locale.Catalog
	language  locale.Language
	turns     *turns
	taken     map[string]func() // turns to end, by what they are for
	began     time.Time
	outcome   string // for the log
	records   []AuditRecord
	also      []func(ctx context.Context) error
}

// Lookup is what handlers may ask the server. Effects go through steps.
type Lookup interface {
	List(ctx context.Context) ([]tokens.Token, error)
	ListValid(ctx context.Context) ([]tokens.Token, error)
	Get(ctx context.Context, text string) (tokens.Token, error)
}

// Outcomes of a command, for audit and log.
const (
	done    = "done"
	failed  = "failed"
	refused = "refused"
)

// text renders a text in the person's language. {prefix} is what commands begin
// with in this room, {bot} the bot's user id.
func (r *Request) text(key string, args locale.Args) locale.Text {
	all := locale.Args{"prefix": r.prefix(), "bot": r.Bot}
	for name, value := range args {
		all[name] = value
	}
	return r.language.Text(key, all)
}

// prefix is what a command begins with in this room, with the space after it.
func (r *Request) prefix() string {
	switch {
	case r.Direct:
		return ""
	case r.Settings.Prefix == "":
		return r.Bot.String() + " "
	default:
		return r.Settings.Prefix + " "
	}
}

// speak chooses the language of the answer, the one of the config if it is
// empty.
func (r *Request) speak(language string) {
	r.language = r.catalog.Language(cmp.Or(language, r.Settings.Language))
}

// meaning is the English word that a word stands for, in any language and
// letter case.
func (r *Request) meaning(word string) string { return r.catalog.Meaning(word) }

// name is the command's name for audit and log, which must not hold what else
// people wrote.
func (r *Request) name() string {
	if r.Command == nil {
		return "unknown"
	}
	return r.Command.Name
}

func (r *Request) limits() Limits { return r.Settings.Limits[r.Role] }

func (r *Request) maker() Maker {
	return Maker{User: r.Sender, Event: r.EventID, RoomID: r.RoomID, At: r.Now}
}

// commitAlso adds to what is committed: with the plan of the command's effects
// if it has any, else with its answer.
func (r *Request) commitAlso(do func(ctx context.Context) error) { r.also = append(r.also, do) }

func (r *Request) commit(ctx context.Context) error {
	for _, do := range r.also {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// record adds a line to the audit.
func (r *Request) record(outcome, subject string) {
	r.outcome = outcome
	r.records = append(r.records, AuditRecord{
		At:      r.Now,
		Event:   r.EventID,
		User:    r.Sender,
		RoomID:  r.RoomID,
		Role:    r.Role,
		Command: r.name(),
		Outcome: outcome,
		Subject: subject,
	})
}

// conclude keeps what a step that has ended leaves behind.
func (r *Request) conclude(ctx context.Context, step Step) error {
	outcome := done
	if step.State != StepDone {
		outcome = failed
	}
	r.record(outcome, masked(step.Token))

	switch {
	case step.Maker != nil && step.State == StepDone:
		// A text that a person chose may have been planned by somebody else too.
		return r.Store.SaveMade(ctx, step.Token, *step.Maker)
	case step.Kind == StepCreate:
		made, err := r.Store.Made(ctx)
		if err != nil {
			return fmt.Errorf("reading the makers: %w", err)
		}
		if made[step.Token].Event != r.EventID {
			return nil
		}
		return r.Store.Forget(ctx, step.Token)
	case step.Kind == StepDelete && step.State == StepDone && !step.revoked(), step.Failure == failureGone:
		return r.Store.Forget(ctx, step.Token)
	}
	return nil
}

// overheard tells whether people outside the chat could read along.
func (r *Request) overheard() bool { return !r.Direct && !r.Encrypted }

// sees tells whether the person may know of a token: managers of all, others
// of those that they made.
func (r *Request) sees(maker Maker) bool { return r.Role >= access.Manager || maker.User == r.Sender }
