// Package store is the database: SQLite inside the program, or PostgreSQL.
// It is the only place that knows SQL; the tables that mautrix keeps for
// encryption and room state live beside its own.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
)

// What can be wrong with a database, as sentinels for errors.Is.
var (
	ErrBadURI = errors.New("not a database address")
	// ErrNewer: a newer program has been here; this one does not know its schema.
	ErrNewer = errors.New("the database was written by a newer version of this program")
	// ErrInUse: another process holds the database.
	ErrInUse = errors.New("another process uses this database")
	// ErrMissing: there is no such SQLite file.
	ErrMissing = errors.New("the database does not exist yet")
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

func migrations() dbutil.UpgradeTable {
	return dbutil.BuildUpgradeTable().WithFSPath(migrationFiles, "migrations").Finish()
}

// DB is the open database. Its methods are safe for concurrent use. A context
// from Transact makes every call part of that transaction.
type DB struct {
	db   *dbutil.Database
	kind kind
	path string // SQLite: the file
	dsn  string // PostgreSQL: the connection string
	now  func() time.Time
}

type kind int

const (
	sqlite kind = iota
	postgres
)

// Migrate brings the schema up to date, each step in a transaction of its own.
// It returns ErrNewer if a newer program has changed it.
func (d *DB) Migrate(ctx context.Context) error {
	err := d.db.Upgrade(ctx)
	if errors.Is(err, dbutil.ErrUnsupportedDatabaseVersion) {
		return fmt.Errorf("%w: %w", ErrNewer, err)
	} else if err != nil {
		return fmt.Errorf("updating the database schema: %w", err)
	}
	return nil
}

// Matrix gives mautrix's own stores their place in this database.
func (d *DB) Matrix() *dbutil.Database { return d.db }

// Close ends all connections.
func (d *DB) Close() error { return d.db.Close() }

// Writable tells whether a commit goes through right now.
func (d *DB) Writable(ctx context.Context) error {
	return d.PutSetting(ctx, "last_write_check", d.now().UTC().Format(time.RFC3339))
}

// exec runs a statement and says what it was for if it fails.
func (d *DB) exec(ctx context.Context, doing, query string, args ...any) error {
	if _, err := d.db.Exec(ctx, query, args...); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// query collects the rows of a statement.
func query[T any](ctx context.Context, d *DB, doing string, scan func(dbutil.Scannable) (T, error), q string, args ...any) ([]T, error) {
	rows, err := d.db.Query(ctx, q, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return all, nil
}

// first returns the first row of a statement; ok is false if there is none.
func first[T any](ctx context.Context, d *DB, doing string, scan func(dbutil.Scannable) (T, error), q string, args ...any) (one T, ok bool, err error) {
	one, err = scan(d.db.QueryRow(ctx, q, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return one, false, nil
	} else if err != nil {
		return one, false, fmt.Errorf("%s: %w", doing, err)
	}
	return one, true, nil
}

func scanOne[T any](row dbutil.Scannable) (v T, err error) {
	err = row.Scan(&v)
	return v, err
}

func (d *DB) millis() int64 { return d.now().UnixMilli() }
