package store

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"

	"matrix-registration-bot/commands"
)

// Made implements commands.Store.
func (d *DB) Made(ctx context.Context) (map[string]commands.Maker, error) {
	type row struct {
		token string
		commands.Maker
	}
	rows, err := query(ctx, d, "listing makers", func(s dbutil.Scannable) (r row, err error) {
		var at int64
		err = s.Scan(&r.token, &r.User, &r.Event, &r.RoomID, &at, &r.Recipient, &r.Note)
		r.At = time.UnixMilli(at)
		return r, err
	}, `SELECT token, maker, event_id, room_id, made_at, recipient, note FROM made`)
	if err != nil {
		return nil, err
	}
	made := make(map[string]commands.Maker, len(rows))
	for _, r := range rows {
		made[r.token] = r.Maker
	}
	return made, nil
}

// SaveMade implements commands.Store.
func (d *DB) SaveMade(ctx context.Context, token string, m commands.Maker) error {
	return d.exec(ctx, "noting a token's maker", `
		INSERT INTO made (token, maker, event_id, room_id, made_at, recipient, note) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (token) DO UPDATE SET maker=excluded.maker, event_id=excluded.event_id, room_id=excluded.room_id,
			made_at=excluded.made_at, recipient=excluded.recipient, note=excluded.note`,
		token, m.User, m.Event, m.RoomID, m.At.UnixMilli(), m.Recipient, m.Note)
}
