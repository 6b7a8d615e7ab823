package news

import (
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/tokens"
)

// Kind is what happened.
type Kind string

// The kinds of news.
const (
	Used    Kind = "used"    // people registered with the token
	Expired Kind = "expired" // it ended, and nobody had used it
	Endless Kind = "endless" // it still never ends: a reminder
)

// Item is one piece of news for one recipient.
type Item struct {
	Seq   int64          `json:"-"` // given by the store, in the order of events
	To    id.UserID      `json:"-"` // the token's maker; empty: the room of the admins
	Token string         `json:"-"` // empty: it is gone since, and nothing keeps its text
	Kind  Kind           `json:"kind"`
	Maker commands.Maker `json:"maker"`

	Times int `json:"times,omitempty"` // Used: how many people registered since the last look
	// Users are accounts that were made at the same time. As many as Times, or
	// fewer: probably it was they. More: some of them. None: nobody can tell.
	Users   []id.UserID `json:"users,omitempty"`
	Left    *int        `json:"left,omitempty"`    // uses that are left; nil = any number
	Expires *time.Time  `json:"expires,omitempty"` // nil = never
}

func newItem(kind Kind, token tokens.Token, maker commands.Maker) Item {
	item := Item{Token: token.Text, Kind: kind, Maker: maker, Expires: token.Expires}
	if left, limited := token.Left(); limited {
		item.Left = &left
	}
	return item
}
