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
	"net/url"
	"os"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver "pgx"
	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"
	_ "modernc.org/sqlite" // database/sql driver "sqlite"

	"matrix-registration-bot/crashpoint"
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

// Open connects to the database that uri names: `sqlite:file` or
// `postgres://user:password@host/database`. It neither takes the lock nor
// changes the schema: see Lock and Migrate.
func Open(uri string, log zerolog.Logger) (*DB, error) {
	d := &DB{now: time.Now}
	var raw *sql.DB
	var err error
	switch scheme, rest, _ := strings.Cut(uri, ":"); scheme {
	case "sqlite":
		d.path = strings.TrimPrefix(rest, "//")
		if d.path == "" {
			return nil, fmt.Errorf("%w: sqlite: needs a file name", ErrBadURI)
		}
		// The file holds keys and tokens, and SQLite gives its journal the same mode.
		file, err := os.OpenFile(d.path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, fmt.Errorf("opening the database: %w", err)
		}
		_ = file.Close()
		raw, err = sql.Open("sqlite", sqliteDSN(d.path))
		if err != nil {
			return nil, fmt.Errorf("opening %s: %w", d.path, err)
		}
		raw = crashpoint.Database(raw, sqliteDSN(d.path))
		d.db, err = dbutil.NewWithDB(raw, "sqlite")
		if err != nil {
			return nil, err
		}
		// SQLite has one writer at a time; a few more connections let readers by.
		raw.SetMaxOpenConns(4)
	case "postgres", "postgresql":
		d.kind, d.dsn = postgres, uri
		raw, err = sql.Open("pgx", uri)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrBadURI, err)
		}
		raw = crashpoint.Database(raw, uri)
		d.db, err = dbutil.NewWithDB(raw, "pgx")
		if err != nil {
			return nil, err
		}
		raw.SetMaxOpenConns(10)
		raw.SetMaxIdleConns(4)
		raw.SetConnMaxIdleTime(5 * time.Minute)
	default:
		return nil, fmt.Errorf("%w: it begins with sqlite: or postgres://", ErrBadURI)
	}
	d.db.UpgradeTable = migrations()
	d.db.Log = dbutil.ZeroLogger(log)
	return d, nil
}

// OpenExisting is Open for those who only read: it returns ErrMissing rather
// than making an SQLite file.
func OpenExisting(uri string, log zerolog.Logger) (*DB, error) {
	if path, isFile := strings.CutPrefix(uri, "sqlite:"); isFile {
		if _, err := os.Stat(strings.TrimPrefix(path, "//")); errors.Is(err, os.ErrNotExist) {
			return nil, ErrMissing
		}
	}
	return Open(uri, log)
}

// sqliteDSN asks for what the promises rest on: FULL, because the homeserver
// forgets a transaction when it is answered, and to-device messages when the
// next position is sent; immediate, because a transaction that reads first and
// writes later would fail under load instead of waiting its turn. A small cache,
// because every connection has one, and the operating system keeps the file in
// memory anyway.
func sqliteDSN(path string) string {
	q := url.Values{
		"_pragma": {"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "cache_size(-256)"},
		"_txlock": {"immediate"},
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: q.Encode()}).String()
}

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

// Transact runs fn in one transaction, which fn's context carries. In a
// context that carries one already, fn simply runs in it.
func (d *DB) Transact(ctx context.Context, fn func(ctx context.Context) error) error {
	var panicked any
	err := d.db.DoTxn(ctx, nil, func(ctx context.Context) (err error) {
		// dbutil rolls back on errors only: a panic would keep the connection and its locks.
		defer func() {
			if panicked = recover(); panicked != nil {
				err = errors.New("panic in transaction")
			}
		}()
		return fn(ctx)
	})
	if panicked != nil {
		panic(panicked)
	}
	return err
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
