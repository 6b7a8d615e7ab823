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
	// Forget erases a token's text everywhere, because the token is gone.
	Forget(ctx context.Context, token string) error

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

	// Audit keeps who did what, or was refused it.
	Audit(ctx context.Context, record AuditRecord) error
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

// Maker is the person behind a token.
type Maker struct {
	User   id.UserID
	Event  id.EventID // the command that made it
	RoomID id.RoomID
	At     time.Time
}

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
