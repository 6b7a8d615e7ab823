package store

import (
	"context"
	"fmt"
)

// Look tells whether the database has the bot's tables, without changing
// anything. It returns ErrNewer if a newer program has been here.
func (d *DB) Look(ctx context.Context) (exists bool, err error) {
	if exists, err = d.db.TableExists(ctx, d.db.VersionTable); err != nil || !exists {
		return false, err
	}
	version, ok, err := first(ctx, d, "reading the schema's version", scanOne[int], `SELECT COALESCE(compat, version) FROM `+d.db.VersionTable)
	if err != nil || !ok {
		return false, err
	}
	if known := len(d.db.UpgradeTable); version > known {
		return true, fmt.Errorf("%w: its schema is %d, this one knows %d", ErrNewer, version, known)
	}
	return true, nil
}
