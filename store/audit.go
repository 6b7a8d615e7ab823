package store

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/commands"
)

// Audit implements commands.Store.
func (d *DB) Audit(ctx context.Context, r commands.AuditRecord) error {
	return d.exec(ctx, "writing the audit", `
		INSERT INTO audit (at, event_id, user_id, room_id, role, command, outcome, subject) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		r.At.UnixMilli(), r.Event, r.User, r.RoomID, r.Role.String(), r.Command, r.Outcome, r.Subject)
}

// AuditRecords implements commands.Store.
func (d *DB) AuditRecords(ctx context.Context, user id.UserID, most int) ([]commands.AuditRecord, error) {
	return query(ctx, d, "reading the audit", func(row dbutil.Scannable) (r commands.AuditRecord, err error) {
		var role string
		var at int64
		if err = row.Scan(&at, &r.Event, &r.User, &r.RoomID, &role, &r.Command, &r.Outcome, &r.Subject); err != nil {
			return r, err
		}
		r.At = time.UnixMilli(at)
		r.Role, err = access.ParseRole(role)
		return r, err
	}, `SELECT at, event_id, user_id, room_id, role, command, outcome, subject FROM audit
		WHERE $1='' OR user_id=$1 ORDER BY seq DESC LIMIT $2`, user, most)
}
