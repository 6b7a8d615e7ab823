// Package news watches what becomes of registration tokens and tells their
// makers: somebody registered, a token ended unused, one still never ends.
//
// A look compares the server's list with what was seen before, and commits what
// is new together with what is seen now. Telling takes news out of the database
// and puts messages into the outbox, in one commit as well. So each piece of news
// is told once, whenever the program dies.
package news

import (
	"context"
	"errors"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/commands"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// Server is what news asks the server for. That of new accounts and last users
// may return tokens.ErrUnable.
type Server interface {
	List(ctx context.Context) ([]tokens.Token, error)
	tokens.AccountLister
	tokens.UserFinder
}

// Store is what news keeps. A context from Transact makes every call part of
// that transaction.
type Store interface {
	// Transact runs fn in one transaction that its context carries.
	Transact(ctx context.Context, fn func(ctx context.Context) error) error

	// Made returns who made which of the tokens through the bot.
	Made(ctx context.Context) (map[string]commands.Maker, error)
	// LastMade says when the newest of them was made; long ago if there is none.
	LastMade(ctx context.Context) (time.Time, error)
	// Seen returns what was last seen of each token.
	Seen(ctx context.Context) (map[string]Seen, error)
	// SaveSeen keeps what is seen of a token now.
	SaveSeen(ctx context.Context, token string, seen Seen) error
	// ForgetSeen drops what was seen of a token that is gone.
	ForgetSeen(ctx context.Context, token string) error

	// SaveUser notes that somebody registered with a token.
	SaveUser(ctx context.Context, token string, user commands.User) error
	// NewcomersSince returns who is known to have registered since then, with
	// any token.
	NewcomersSince(ctx context.Context, since time.Time) ([]id.UserID, error)

	// AddNews keeps news until it is told.
	AddNews(ctx context.Context, item Item) error
	// News returns what was not told yet, oldest first.
	News(ctx context.Context) ([]Item, error)
	// RemoveNews drops news because it is told, or nobody wants it.
	RemoveNews(ctx context.Context, item Item) error

	// Person returns what somebody has set for themselves.
	Person(ctx context.Context, user id.UserID) (commands.Person, error)
	// Setting returns a value that the program remembers about itself; empty if
	// there is none.
	Setting(ctx context.Context, name string) (string, error)
	// PutSetting remembers a value.
	PutSetting(ctx context.Context, name, value string) error
}

// ErrNotYet means that the bot is starting, or stopped.
var ErrNotYet = errors.New("the bot is not in its rooms yet")

// Chat is where news is told.
type Chat interface {
	// Rooms returns the rooms that the bot is in, as far as it knows who else is
	// there, or ErrNotYet.
	Rooms(ctx context.Context) ([]Room, error)
	// Tell queues a message, in the transaction of ctx. It mentions the person, if
	// one is given, and is encrypted in an encrypted room.
	Tell(ctx context.Context, room id.RoomID, person id.UserID, text locale.Text) error
	// Deliver sends what was queued for a room, once that is committed.
	Deliver(room id.RoomID)
}

// Roles knows who may use the bot.
type Roles interface {
	Decide(ctx context.Context, user id.UserID) (access.Decision, error)
}

// Room is a room that the bot is in.
type Room struct {
	ID        id.RoomID
	People    []id.UserID // joined and invited, the bot included
	Encrypted bool
	Mute      bool // nothing can be said there: it is encrypted, and encryption is off
}
