package store

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/id"
)

// Outgoing is something that the bot will send. Its transaction id makes the
// homeserver drop a repeat: the same device, room and id is the same event.
type Outgoing struct {
	RoomID   id.RoomID
	Cause    id.EventID // the event that it answers
	Part     int        // from 0, in the order of sending
	TxnID    string     // unique
	Type     string     // event type before encryption
	Content  []byte     // JSON
	Target   string     // a reaction: the TxnID of the message that it belongs to
	Question bool       // this message asks something
	Encrypt  bool       // never to be sent in clear

	Asked    time.Time // when the event that it answers came; zero: it answers nothing
	Tries    int
	FirstTry time.Time   // zero: never attempted
	Device   id.DeviceID // the device of the first attempt
}

// Queue puts messages into the outbox. A transaction id that is there already
// is skipped.
func (d *DB) Queue(ctx context.Context, messages ...Outgoing) error {
	for _, m := range messages {
		err := d.exec(ctx, "queueing a message", `
			INSERT INTO outbox (room_id, cause, part, txn_id, type, content, target, question, encrypt, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (txn_id) DO NOTHING`,
			m.RoomID, m.Cause, m.Part, m.TxnID, m.Type, m.Content, m.Target, m.Question, m.Encrypt, d.millis())
		if err != nil {
			return err
		}
	}
	return nil
}

// RoomsWithMessages returns the rooms for which messages wait in the outbox.
func (d *DB) RoomsWithMessages(ctx context.Context) ([]id.RoomID, error) {
	return query(ctx, d, "listing rooms with messages", scanOne[id.RoomID],
		`SELECT DISTINCT room_id FROM outbox WHERE state='open'`)
}

// NextMessage returns the oldest open message of a room if it is due;
// otherwise how long until it is (0 = there is none).
func (d *DB) NextMessage(ctx context.Context, room id.RoomID) (m Outgoing, wait time.Duration, err error) {
	var asked, notBefore int64
	m, ok, err := first(ctx, d, "reading the next message", func(row dbutil.Scannable) (m Outgoing, err error) {
		var firstTry int64
		err = row.Scan(&m.RoomID, &m.Cause, &m.Part, &m.TxnID, &m.Type, &m.Content, &m.Target, &m.Question, &m.Encrypt,
			&m.Tries, &firstTry, &m.Device, &notBefore, &asked)
		if firstTry != 0 {
			m.FirstTry = time.UnixMilli(firstTry)
		}
		if asked != 0 {
			m.Asked = time.UnixMilli(asked)
		}
		return m, err
	}, `SELECT room_id, cause, part, txn_id, type, content, target, question, encrypt, tries, first_try, device_id, not_before,
			COALESCE((SELECT received_at FROM inbox WHERE event_id=cause), 0)
		FROM outbox WHERE room_id=$1 AND state='open' ORDER BY seq LIMIT 1`, room)
	if err != nil || !ok {
		return m, 0, err
	}
	if now := d.millis(); notBefore > now && notBefore <= now+longestWait.Milliseconds() {
		return m, time.Duration(notBefore-now) * time.Millisecond, nil
	}
	return m, 0, nil
}

// Attempt notes, before the first try, when and as which device it is made.
func (d *DB) Attempt(ctx context.Context, txnID string, device id.DeviceID) error {
	return d.exec(ctx, "noting an attempt to send",
		`UPDATE outbox SET first_try=$2, device_id=$3 WHERE txn_id=$1 AND first_try=0`, txnID, d.millis(), device)
}

// Retry postpones a message after a failed attempt.
func (d *DB) Retry(ctx context.Context, txnID string, again time.Duration) error {
	return d.exec(ctx, "postponing a message",
		`UPDATE outbox SET tries=tries+1, not_before=$2 WHERE txn_id=$1`, txnID, d.millis()+again.Milliseconds())
}

// Delivered notes what a message became and erases its text. sentAt is the
// event's own time stamp, for questions.
func (d *DB) Delivered(ctx context.Context, txnID string, event id.EventID, sentAt time.Time) error {
	var at int64
	if !sentAt.IsZero() {
		at = sentAt.UnixMilli()
	}
	return d.exec(ctx, "noting a delivery",
		`UPDATE outbox SET state='delivered', content=NULL, event_id=$2, sent_at=$3 WHERE txn_id=$1`, txnID, event, at)
}

// Drop gives a message up: nobody can receive it.
func (d *DB) Drop(ctx context.Context, txnID string) error {
	return d.exec(ctx, "dropping a message", `UPDATE outbox SET state='dropped', content=NULL WHERE txn_id=$1`, txnID)
}

// SentEvent returns the event that a delivered message became; empty if it is
// not delivered.
func (d *DB) SentEvent(ctx context.Context, txnID string) (id.EventID, error) {
	event, _, err := first(ctx, d, "looking up a sent message", scanOne[id.EventID],
		`SELECT event_id FROM outbox WHERE txn_id=$1`, txnID)
	return event, err
}

// QuestionBehind returns the id of the question that one of the bot's events
// asks; empty if that event is no question.
func (d *DB) QuestionBehind(ctx context.Context, event id.EventID) (id.EventID, error) {
	cause, _, err := first(ctx, d, "looking up a question", scanOne[id.EventID],
		`SELECT cause FROM outbox WHERE event_id=$1 AND question`, event)
	return cause, err
}
