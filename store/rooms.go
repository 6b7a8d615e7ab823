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

// Invited notes who invited the bot into a room that it has joined.
func (d *DB) Invited(ctx context.Context, room id.RoomID, inviter id.UserID) error {
	return d.exec(ctx, "noting who invited the bot", `
		INSERT INTO rooms (room_id, state_read, encrypted, predecessor, inviter) VALUES ($1, false, false, '', $2)
		ON CONFLICT (room_id) DO UPDATE SET inviter=excluded.inviter`, room, inviter)
}

// Left notes that the bot is not in a room any more: what is known of it gets
// old, and it does not count for its inviter.
func (d *DB) Left(ctx context.Context, room id.RoomID) error {
	return d.exec(ctx, "noting that the bot left a room", `UPDATE rooms SET state_read=false, inviter='' WHERE room_id=$1`, room)
}

// RoomsOf counts the rooms that the bot is in because this person invited it, but
// for one.
func (d *DB) RoomsOf(ctx context.Context, inviter id.UserID, except id.RoomID) (int, error) {
	n, _, err := first(ctx, d, "counting a person's rooms", scanOne[int],
		`SELECT COUNT(*) FROM rooms WHERE inviter=$1 AND room_id<>$2`, inviter, except)
	return n, err
}

// InvitedRooms returns the rooms that count for somebody who invited the bot.
func (d *DB) InvitedRooms(ctx context.Context) ([]id.RoomID, error) {
	return query(ctx, d, "listing rooms with an inviter", scanOne[id.RoomID], `SELECT room_id FROM rooms WHERE inviter<>''`)
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
