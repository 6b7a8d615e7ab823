package store

import (
	"context"

	"matrix-registration-bot/commands"
)

// Audit implements commands.Store.
func (d *DB) Audit(ctx context.Context, r commands.AuditRecord) error {
	return d.exec(ctx, "writing the audit", `
		INSERT INTO audit (at, event_id, user_id, room_id, role, command, outcome, subject) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		r.At.UnixMilli(), r.Event, r.User, r.RoomID, r.Role.String(), r.Command, r.Outcome, r.Subject)
}
