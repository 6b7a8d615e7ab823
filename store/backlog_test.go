package store

import (
	"testing"
	"time"

	"matrix-registration-bot/appservice"
)

func TestTheBacklogIsWhatWaitsAndSinceWhen(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		inbox, outbox, err := db.Backlog(t.Context())
		must(t, err)
		if inbox != (Queue{}) || outbox != (Queue{}) {
			t.Errorf("of an empty database %+v, %+v", inbox, outbox)
		}
		came := time.UnixMilli(1_700_000_000_000)
		db.now = func() time.Time { return came }
		event := appservice.Event{ID: "$1", RoomID: "!a:x", Sender: "@u:x", Type: "m.room.message", Raw: []byte("{}")}
		must(t, db.Accept(t.Context(), "1", []appservice.Event{event}, nil))
		db.now = func() time.Time { return came.Add(time.Minute) }
		event.ID = "$2"
		must(t, db.Accept(t.Context(), "2", []appservice.Event{event}, nil))
		must(t, db.Queue(t.Context(),
			Outgoing{RoomID: "!a:x", Cause: "$1", TxnID: "r0-$1", Type: "m.room.message"},
			Outgoing{RoomID: "!a:x", TxnID: "news", Type: "m.room.message"}))

		inbox, outbox, err = db.Backlog(t.Context())
		must(t, err)
		if inbox.Length != 2 || !inbox.Oldest.Equal(came) || outbox.Length != 2 || !outbox.Oldest.Equal(came.Add(time.Minute)) {
			t.Errorf("%+v, %+v", inbox, outbox)
		}
		m, _, err := db.NextMessage(t.Context(), "!a:x")
		must(t, err)
		if !m.Asked.Equal(came) {
			t.Errorf("the event came at %s, not %s", came, m.Asked)
		}
		must(t, db.Handled(t.Context(), "$1"))
		must(t, db.Delivered(t.Context(), "r0-$1", "$sent", time.Time{}))
		if m, _, err = db.NextMessage(t.Context(), "!a:x"); err != nil || !m.Asked.IsZero() {
			t.Errorf("news answers something that came at %s (%v)", m.Asked, err)
		}
		inbox, outbox, err = db.Backlog(t.Context())
		must(t, err)
		if inbox.Length != 1 || !inbox.Oldest.Equal(came.Add(time.Minute)) || outbox.Length != 1 {
			t.Errorf("after an answer %+v, %+v", inbox, outbox)
		}
	})
}
