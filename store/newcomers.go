package store

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"

	"matrix-registration-bot/commands"
)

// Users implements commands.Store.
func (d *DB) Users(ctx context.Context, token string) ([]commands.User, error) {
	return query(ctx, d, "listing who used a token", func(row dbutil.Scannable) (u commands.User, err error) {
		var at int64
		err = row.Scan(&u.ID, &at, &u.Certain)
		u.At = time.UnixMilli(at)
		return u, err
	}, `SELECT user_id, at, certain FROM newcomers WHERE token=$1 ORDER BY at, user_id`, token)
}

// SaveUser notes that somebody registered with a token, or what is known
// better about it now.
func (d *DB) SaveUser(ctx context.Context, token string, u commands.User) error {
	return d.exec(ctx, "noting who used a token", `
		INSERT INTO newcomers (token, user_id, at, certain) VALUES ($1, $2, $3, $4)
		ON CONFLICT (token, user_id) DO UPDATE SET at=excluded.at, certain=excluded.certain`,
		token, u.ID, u.At.UnixMilli(), u.Certain)
}
