package lab

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver
)

// Settled waits until the homeserver pushes straight to the bot again, after it had
// to hold things back. An event that comes in just while it is catching up can be
// left lying until the next time (synapse/appservice/scheduler.py: send looks
// whether the service is up before it stores the transaction, and retry may find
// nothing left in between), so that nobody should speak before.
func (s *Synapse) Settled(ctx context.Context) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "homeserver.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		return fmt.Errorf("reading Synapse's database: %w", err)
	}
	defer func() { _ = db.Close() }()
	return s.process.until(ctx, "Synapse holds nothing back", func(ctx context.Context) error {
		var down int
		err := db.QueryRowContext(ctx, "SELECT count(*) FROM application_services_state WHERE state = 'down'").Scan(&down)
		if err == nil && down > 0 {
			err = errors.New("it still does")
		}
		return err
	})
}
