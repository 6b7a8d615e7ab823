package lab

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
)

// ManyTokens writes tokens without end and limit straight into the homeserver's
// database, which is much faster than asking it: their texts are prefix and a
// number from 1.
func (s *Synapse) ManyTokens(ctx context.Context, prefix string, n int) error {
	return s.inDatabase(ctx, `
		WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM numbers WHERE i < $2)
		INSERT INTO registration_tokens (token, pending, completed) SELECT $1 || i, 0, 0 FROM numbers`, prefix, n)
}

// FewerTokens removes those that ManyTokens made.
func (s *Synapse) FewerTokens(ctx context.Context, prefix string) error {
	return s.inDatabase(ctx, `DELETE FROM registration_tokens WHERE substr(token, 1, length($1)) = $1`, prefix)
}

func (s *Synapse) inDatabase(ctx context.Context, statement string, args ...any) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "homeserver.db")+"?_pragma=busy_timeout(10000)")
	if err == nil {
		defer db.Close()
		_, err = db.ExecContext(ctx, statement, args...)
	}
	if err != nil {
		return fmt.Errorf("writing to the homeserver's database: %w", err)
	}
	return nil
}
