package store

import (
	"context"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/id"
)

// Room is what the bot remembers of a room that it is in, or follows.
type Room struct {
	ID          id.RoomID
	StateRead   bool      // its full state was read since the bot joined
	Encrypted   bool      // once true, for ever true: no message goes there in clear
	Predecessor id.RoomID // the room that was upgraded to this one
}

// Room returns what is known; an unknown room gives a zero Room.
func (d *DB) Room(ctx context.Context, room id.RoomID) (Room, error) {
	r, _, err := first(ctx, d, "reading a room", func(row dbutil.Scannable) (r Room, err error) {
		err = row.Scan(&r.ID, &r.StateRead, &r.Encrypted, &r.Predecessor)
		return r, err
	}, `SELECT room_id, state_read, encrypted, predecessor FROM rooms WHERE room_id=$1`, room)
	return r, err
}

// StateRead notes that a room's full state was read, and whether it is
// encrypted. The encrypted mark is never taken back.
func (d *DB) StateRead(ctx context.Context, room id.RoomID, encrypted bool) error {
	return d.exec(ctx, "noting a room's state", `
		INSERT INTO rooms (room_id, state_read, encrypted, predecessor) VALUES ($1, true, $2, '')
		ON CONFLICT (room_id) DO UPDATE SET state_read=true, encrypted=(rooms.encrypted OR excluded.encrypted)`, room, encrypted)
}

// MarkEncrypted notes that a room is encrypted.
func (d *DB) MarkEncrypted(ctx context.Context, room id.RoomID) error {
	return d.exec(ctx, "marking a room encrypted", `
		INSERT INTO rooms (room_id, state_read, encrypted, predecessor) VALUES ($1, false, true, '')
		ON CONFLICT (room_id) DO UPDATE SET encrypted=true`, room)
}

// ForgetState makes the bot read a room's state again before it relies on it.
func (d *DB) ForgetState(ctx context.Context, room id.RoomID) error {
	return d.exec(ctx, "forgetting a room's state", `UPDATE rooms SET state_read=false WHERE room_id=$1`, room)
}

// Follow notes that a room replaces another one that the bot is in.
func (d *DB) Follow(ctx context.Context, successor, predecessor id.RoomID) error {
	return d.exec(ctx, "following a room upgrade", `
		INSERT INTO rooms (room_id, state_read, encrypted, predecessor) VALUES ($1, false, false, $2)
		ON CONFLICT (room_id) DO UPDATE SET predecessor=excluded.predecessor`, successor, predecessor)
}

// KnownRooms returns the rooms whose state was read.
func (d *DB) KnownRooms(ctx context.Context) ([]id.RoomID, error) {
	return query(ctx, d, "listing rooms", scanOne[id.RoomID], `SELECT room_id FROM rooms WHERE state_read`)
}
