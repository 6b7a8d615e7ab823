package commands

import (
	"context"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
)

// Store is what commands keep. A context that carries a transaction (see
// Finish) makes every call part of that transaction.
type Store interface {
	// Transact runs fn in one transaction that its context carries.
	Transact(ctx context.Context, fn func(ctx context.Context) error) error

	// Plan returns the stored plan of a command: ok is false if none was
	// committed.
	Plan(ctx context.Context, event id.EventID) (plan Plan, ok bool, err error)
	// SavePlan commits the steps of a command before the first is done.
	SavePlan(ctx context.Context, plan Plan) error
	// SaveStep overwrites the n-th step (from 0) of a plan.
	SaveStep(ctx context.Context, event id.EventID, n int, step Step) error

	// Made returns who made which of the tokens through the bot.
	Made(ctx context.Context) (map[string]Maker, error)
	// SaveMade notes the maker of a token.
	SaveMade(ctx context.Context, token string, maker Maker) error
	// Created says when the tokens were planned that a person made with a
	// command since the given time, or is about to make: oldest first, each once.
	Created(ctx context.Context, user id.UserID, command string, since time.Time) ([]time.Time, error)
	// Users returns who registered with a token as far as it is known, in that
	// order.
	Users(ctx context.Context, token string) ([]User, error)
	// Forget erases a token's text everywhere, because the token is gone.
	Forget(ctx context.Context, token string) error

	// Person returns what somebody has set for themselves, NewPerson if nothing.
	Person(ctx context.Context, user id.UserID) (Person, error)
	// SavePerson keeps what somebody has set for themselves.
	SavePerson(ctx context.Context, user id.UserID, person Person) error

	// AllowList returns the stored list, oldest first.
	AllowList(ctx context.Context) ([]access.Entry, error)
	// PutEntry adds an entry or replaces the one with the same pattern.
	PutEntry(ctx context.Context, entry access.Entry) error
	// DeleteEntry removes an entry; it is no error if there is none.
	DeleteEntry(ctx context.Context, pattern string) error

	// SaveQuestion keeps an open question; a person's older ones in the same room are closed.
	SaveQuestion(ctx context.Context, q Question) error
	// Question returns an open question by its id.
	Question(ctx context.Context, question id.EventID) (q Question, ok bool, err error)
	// LastQuestion returns the open question to this person in this room.
	LastQuestion(ctx context.Context, room id.RoomID, asker id.UserID) (q Question, ok bool, err error)
	// CloseQuestion makes sure that a question is not answered twice.
	CloseQuestion(ctx context.Context, question id.EventID) error

	// Setting returns a value that the program remembers about itself; empty if
	// there is none.
	Setting(ctx context.Context, name string) (string, error)
	// PutSetting remembers a value.
	PutSetting(ctx context.Context, name, value string) error

	// Audit keeps who did what, or was refused it.
	Audit(ctx context.Context, record AuditRecord) error
	// AuditRecords returns the newest records, newest first: those of one
	// person, or of all if user is empty.
	AuditRecords(ctx context.Context, user id.UserID, most int) ([]AuditRecord, error)
	// MarkCommand notes in the inbox that this event was a command, for CountCommands.
	MarkCommand(ctx context.Context, event id.EventID) error
	// CountCommands says how many marked commands of this person came in since
	// the given time.
	CountCommands(ctx context.Context, user id.UserID, since time.Time) (int, error)
}

// Plan is a command's list of steps.
type Plan struct {
	Event   id.EventID
	Command string // name in the table; its Report writes the answer
	Steps   []Step
}

// Maker is the person behind a token, and what they wrote down about it.
type Maker struct {
	User      id.UserID  // empty: it was made elsewhere, and only the note is ours
	Event     id.EventID // the command that made it
	RoomID    id.RoomID
	At        time.Time
	Recipient string // whom it is meant for, in the maker's words
	Note      string
}

// User is somebody who registered with a token.
type User struct {
	ID      id.UserID
	At      time.Time
	Certain bool // false: the server does not say it, but the times fit
}

// Person is what somebody has set for themselves.
type Person struct {
	Language string // empty: the one of the config
	Notify   bool   // wants news about the tokens that they made
}

// NewPerson is somebody who has set nothing yet.
func NewPerson() Person { return Person{Notify: true} }

// AuditRecord is one line of the audit: an effect or a refusal.
type AuditRecord struct {
	At      time.Time
	Event   id.EventID
	User    id.UserID
	RoomID  id.RoomID
	Role    access.Role
	Command string
	Outcome string // "done", "failed" or "refused"
	Subject string // what it was about: a pattern, or the first characters of a token
}
