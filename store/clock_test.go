package store

import (
	"testing"
	"time"

	"matrix-registration-bot/appservice"
	"matrix-registration-bot/commands"
)

// A machine without a battery for its clock can start in another year, and only
// then learn what time it is.
func TestAClockThatWasAheadHoldsUpNothing(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		rightTime := time.Now()
		db.now = func() time.Time { return rightTime.AddDate(1, 0, 0) }
		must(t, db.Accept(t.Context(), "t", []appservice.Event{event("$1", "!a:x", "@u:x"), event("$2", "!a:x", "@u:x")}, nil))
		must(t, db.Postpone(t.Context(), "$1", time.Minute))
		must(t, db.Queue(t.Context(), Outgoing{RoomID: "!a:x", Cause: "$0", TxnID: "r0-$0", Type: "m.room.message"}))
		must(t, db.Retry(t.Context(), "r0-$0", time.Minute))
		must(t, db.MarkCommand(t.Context(), "$1"))
		must(t, db.SavePlan(t.Context(), commands.Plan{Event: "$1", Command: "create", Steps: []commands.Step{{Kind: commands.StepCreate}}}))
		_, err := db.KeyWait(t.Context(), "!a:x", "session")
		must(t, err)
		must(t, db.KeyRequested(t.Context(), "!a:x", "session"))

		db.now = func() time.Time { return rightTime }
		if e, wait := next(t, db, "!a:x"); e.EventID != "$1" {
			t.Errorf("the next event is %q and waits %s", e.EventID, wait)
		}
		if m, wait, err := db.NextMessage(t.Context(), "!a:x"); err != nil || m.TxnID == "" || wait > 0 {
			t.Errorf("the next message is %q and waits %s, %v", m.TxnID, wait, err)
		}
		if n, err := db.CountCommands(t.Context(), "@u:x", rightTime.Add(-time.Minute)); err != nil || n != 0 {
			t.Errorf("%d commands count against the person, %v", n, err)
		}
		if made, err := db.Created(t.Context(), "@u:x", "create", rightTime.Add(-time.Hour)); err != nil || len(made) != 0 {
			t.Errorf("tokens made at %s count against the person, %v", made, err)
		}
		if w, err := db.KeyWait(t.Context(), "!a:x", "session"); err != nil || w.Since.After(rightTime) || w.Requests != 1 {
			t.Errorf("the wait for a key: %+v, %v", w, err)
		}
	})
}
