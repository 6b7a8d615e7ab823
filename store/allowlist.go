package store

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"

	"matrix-registration-bot/access"
)

// AllowList implements commands.Store.
func (d *DB) AllowList(ctx context.Context) ([]access.Entry, error) {
	return query(ctx, d, "reading the allow-list", func(row dbutil.Scannable) (e access.Entry, err error) {
		var role string
		var at int64
		if err = row.Scan(&e.Pattern, &role, &e.AddedBy, &at); err != nil {
			return e, err
		}
		e.AddedAt = time.UnixMilli(at)
		e.Role, err = access.ParseRole(role)
		return e, err
	}, `SELECT pattern, role, added_by, added_at FROM allow_list ORDER BY added_at, pattern`)
}

// PutEntry implements commands.Store.
func (d *DB) PutEntry(ctx context.Context, e access.Entry) error {
	return d.exec(ctx, "saving an allow-list entry", `
		INSERT INTO allow_list (pattern, role, added_by, added_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (pattern) DO UPDATE SET role=excluded.role, added_by=excluded.added_by, added_at=excluded.added_at`,
		e.Pattern, e.Role.String(), e.AddedBy, e.AddedAt.UnixMilli())
}

// DeleteEntry implements commands.Store.
func (d *DB) DeleteEntry(ctx context.Context, pattern string) error {
	return d.exec(ctx, "removing an allow-list entry", `DELETE FROM allow_list WHERE pattern=$1`, pattern)
}
