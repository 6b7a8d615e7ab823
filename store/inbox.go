package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/appservice"
)

// Incoming is an event in the inbox that has not been handled yet.
type Incoming struct {
	EventID  id.EventID
	RoomID   id.RoomID
	Sender   id.UserID
	Type     string
	StateKey *string // nil: no state event
	Raw      []byte
	SentAt   time.Time // origin_server_ts: a remote clock
	Received time.Time
	Age      time.Duration // how old it was when it came
	Tries    int           // how often handling it failed
}

// Accept commits what a transaction brought. Event ids that were here within
// the last 30 days are skipped: homeservers send the same again.
func (d *DB) Accept(ctx context.Context, transactionID string, events []appservice.Event, unreadable [][]byte) error {
	return d.Transact(ctx, func(ctx context.Context) error {
		now := d.millis()
		for _, e := range events {
			err := d.exec(ctx, "keeping an event", `
				INSERT INTO inbox (event_id, room_id, sender, type, state_key, raw, sent_at, age, received_at)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (event_id) DO NOTHING`,
				e.ID, e.RoomID, e.Sender, e.Type, e.StateKey, e.Raw, e.SentAt, e.Age, now)
			if err != nil {
				return err
			}
		}
		for _, raw := range unreadable {
			err := d.exec(ctx, "setting an unreadable event aside",
				`INSERT INTO set_aside (transaction_id, raw, received_at) VALUES ($1, $2, $3)`,
				transactionID, raw, now)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Known tells whether an event has come within the last 30 days.
func (d *DB) Known(ctx context.Context, event id.EventID) (bool, error) {
	_, ok, err := first(ctx, d, "looking for an event", scanOne[int], `SELECT 1 FROM inbox WHERE event_id=$1`, event)
	return ok, err
}

// RoomsWithEvents returns the rooms in which events wait to be handled.
func (d *DB) RoomsWithEvents(ctx context.Context) ([]id.RoomID, error) {
	return query(ctx, d, "listing rooms with events", scanOne[id.RoomID],
		`SELECT DISTINCT room_id FROM inbox WHERE state='open'`)
}

// longestWait is more than anything is postponed by. What is due later than that
// was postponed by a clock that was wrong, and is due now.
const longestWait = 2 * time.Hour

// NextEvent returns the event of a room to handle now: the oldest that is due
// and, if a person said it, has nothing older by the same person before it. So
// each person's messages keep their order, and one whose key is missing holds
// up nobody else. Without such an event it says how long to wait for a
// postponed one (0 = there is none).
func (d *DB) NextEvent(ctx context.Context, room id.RoomID) (e Incoming, wait time.Duration, err error) {
	now := d.millis()
	e, ok, err := first(ctx, d, "reading the next event", scanIncoming, `
		SELECT event_id, room_id, sender, type, state_key, raw, sent_at, received_at, age, tries FROM inbox i
		WHERE room_id=$1 AND state='open' AND (not_before<=$2 OR not_before>$3) AND (state_key IS NOT NULL OR NOT EXISTS (
			SELECT 1 FROM inbox older WHERE older.room_id=i.room_id AND older.sender=i.sender
			AND older.state='open' AND older.state_key IS NULL AND older.seq<i.seq))
		ORDER BY seq LIMIT 1`, room, now, now+longestWait.Milliseconds())
	if err != nil || ok {
		return e, 0, err
	}
	wait, err = d.untilNextEvent(ctx, room, now)
	return e, wait, err
}

// untilNextEvent says how long until the next postponed event of a room is due.
// Those that are due already stand behind a postponed one of the same person.
func (d *DB) untilNextEvent(ctx context.Context, room id.RoomID, now int64) (time.Duration, error) {
	at, _, err := first(ctx, d, "reading when the next event is due", scanOne[*int64],
		`SELECT MIN(not_before) FROM inbox WHERE room_id=$1 AND state='open' AND not_before>$2`, room, now)
	if err != nil || at == nil {
		return 0, err
	}
	return time.Duration(*at-now) * time.Millisecond, nil
}

func scanIncoming(row dbutil.Scannable) (e Incoming, err error) {
	var sent, received, age int64
	err = row.Scan(&e.EventID, &e.RoomID, &e.Sender, &e.Type, &e.StateKey, &e.Raw, &sent, &received, &age, &e.Tries)
	e.SentAt = time.UnixMilli(sent)
	e.Received, e.Age = time.UnixMilli(received), time.Duration(age)*time.Millisecond
	return e, err
}

// Handled marks an event as done with and erases its text. It must be part of
// the transaction that holds everything the event led to.
func (d *DB) Handled(ctx context.Context, event id.EventID) error {
	return d.endEvent(ctx, event, "UPDATE inbox SET state='handled', raw=NULL, session_id='' WHERE event_id=$1 AND state='open'")
}

// SetAside marks an event as given up; its bytes are kept for the admin.
func (d *DB) SetAside(ctx context.Context, event id.EventID) error {
	return d.endEvent(ctx, event, "UPDATE inbox SET state='aside', session_id='' WHERE event_id=$1 AND state='open'")
}

func (d *DB) endEvent(ctx context.Context, event id.EventID, statement string) error {
	result, err := d.db.Exec(ctx, statement, event)
	if err != nil {
		return fmt.Errorf("ending an event: %w", err)
	} else if n, err := result.RowsAffected(); err != nil {
		return fmt.Errorf("ending an event: %w", err)
	} else if n != 1 {
		return fmt.Errorf("ending event %s: it is not open", event)
	}
	return nil
}

// Failed counts a failed try and postpones the next.
func (d *DB) Failed(ctx context.Context, event id.EventID, again time.Duration) error {
	return d.exec(ctx, "counting a failed try",
		`UPDATE inbox SET tries=tries+1, not_before=$2 WHERE event_id=$1`, event, d.millis()+again.Milliseconds())
}

// Postpone lets an event wait without counting a try.
func (d *DB) Postpone(ctx context.Context, event id.EventID, again time.Duration) error {
	return d.exec(ctx, "postponing an event",
		`UPDATE inbox SET not_before=$2 WHERE event_id=$1`, event, d.millis()+again.Milliseconds())
}

const invitationsBefore = `
	SELECT COUNT(*) FROM inbox WHERE state='open' AND sender=$1 AND type=$2 AND state_key=$3
	AND seq<(SELECT seq FROM inbox WHERE event_id=$4)`

// InvitationsBefore counts the invitations of this sender to the bot that came
// before this one and wait to be handled.
func (d *DB) InvitationsBefore(ctx context.Context, in Incoming) (int, error) {
	n, _, err := first(ctx, d, "counting invitations", scanOne[int], invitationsBefore, in.Sender, in.Type, in.StateKey, in.EventID)
	return n, err
}

// MarkCommand implements commands.Store.
func (d *DB) MarkCommand(ctx context.Context, event id.EventID) error {
	return d.exec(ctx, "marking a command", `UPDATE inbox SET command=true WHERE event_id=$1`, event)
}

// CountCommands implements commands.Store. What came by a clock that was ahead
// does not count.
func (d *DB) CountCommands(ctx context.Context, user id.UserID, since time.Time) (int, error) {
	n, _, err := first(ctx, d, "counting commands", scanOne[int],
		`SELECT COUNT(*) FROM inbox WHERE command AND sender=$1 AND received_at BETWEEN $2 AND $3`,
		user, since.UnixMilli(), d.millis())
	return n, err
}
