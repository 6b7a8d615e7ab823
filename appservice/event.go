// Package appservice is the door that the homeserver knocks at: the listener
// of the application service API. It checks who is calling, takes the pushed
// transactions apart and has their events committed before it says "200".
package appservice

import "context"

// Event is a pushed room event: the fields that routing needs, and the bytes
// as they came.
//
// The texts are at most 255 bytes of valid UTF-8 without control characters,
// none but StateKey is empty. Whoever parses Raw again must still take these
// fields from here: encoding/json ignores the case of keys, so that a key
// "Sender", which people of other servers can add, would overwrite "sender".
type Event struct {
	ID       string
	RoomID   string
	Sender   string
	Type     string
	StateKey *string // nil: not a state event
	SentAt   int64   // origin_server_ts, milliseconds; a remote clock; 0: unknown
	Age      int64   // unsigned.age, milliseconds: how old it was when pushed; 0: unknown
	Raw      []byte  // the event's JSON as received
}

// Inbox keeps what the homeserver pushed.
type Inbox interface {
	// Accept returns when the events are committed; ids seen before are
	// skipped. unreadable holds the bytes of what could not be parsed: it is
	// kept aside, so that one such event never blocks those behind it.
	Accept(ctx context.Context, transactionID string, events []Event, unreadable [][]byte) error
}
