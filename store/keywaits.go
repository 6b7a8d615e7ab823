package store

import (
	"context"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/id"
)

// KeyWait is how long a room has waited for the key of one megolm session.
type KeyWait struct {
	Since    time.Time
	Requests int  // how often the key was asked for
	GivenUp  bool // the sender was told, or nobody needs to be
}

// AwaitKey postpones an event whose key is missing. All events of a session
// share one wait, which begins with the first of them and outlives a restart.
func (d *DB) AwaitKey(ctx context.Context, event id.EventID, room id.RoomID, session id.SessionID, again time.Duration) error {
	return d.exec(ctx, "waiting for a key", `UPDATE inbox SET session_id=$2, not_before=$3 WHERE event_id=$1 AND room_id=$4`,
		event, session, d.millis()+again.Milliseconds(), room)
}

// KeyWait begins or continues the wait for a session's key. One that began by a
// clock that was ahead begins now.
func (d *DB) KeyWait(ctx context.Context, room id.RoomID, session id.SessionID) (KeyWait, error) {
	err := d.exec(ctx, "beginning to wait for a key", `
		INSERT INTO key_waits (room_id, session_id, since, requests, given_up) VALUES ($1, $2, $3, 0, false)
		ON CONFLICT (room_id, session_id) DO UPDATE SET since=excluded.since WHERE key_waits.since>excluded.since`, room, session, d.millis())
	if err != nil {
		return KeyWait{}, err
	}
	w, ok, err := first(ctx, d, "reading a wait for a key", func(row dbutil.Scannable) (w KeyWait, err error) {
		var since int64
		err = row.Scan(&since, &w.Requests, &w.GivenUp)
		w.Since = time.UnixMilli(since)
		return w, err
	}, `SELECT since, requests, given_up FROM key_waits WHERE room_id=$1 AND session_id=$2`, room, session)
	if err == nil && !ok {
		err = fmt.Errorf("the wait for session %s has vanished", session)
	}
	return w, err
}

// KeyRequested notes that a session's key was asked for once more.
func (d *DB) KeyRequested(ctx context.Context, room id.RoomID, session id.SessionID) error {
	return d.exec(ctx, "noting a key request",
		`UPDATE key_waits SET requests=requests+1 WHERE room_id=$1 AND session_id=$2`, room, session)
}

// KeyGivenUp notes that a session's key will not come.
func (d *DB) KeyGivenUp(ctx context.Context, room id.RoomID, session id.SessionID) error {
	return d.exec(ctx, "giving up a key",
		`UPDATE key_waits SET given_up=true WHERE room_id=$1 AND session_id=$2`, room, session)
}

// ReleaseWaiting lets every event that waits for a key be tried again now, and
// returns the rooms that have some.
func (d *DB) ReleaseWaiting(ctx context.Context) ([]id.RoomID, error) {
	rooms, err := query(ctx, d, "listing rooms that wait for keys", scanOne[id.RoomID],
		`SELECT DISTINCT room_id FROM inbox WHERE state='open' AND session_id<>''`)
	if err != nil || len(rooms) == 0 {
		return nil, err
	}
	return rooms, d.exec(ctx, "releasing events that wait for keys",
		`UPDATE inbox SET not_before=0 WHERE state='open' AND session_id<>''`)
}
