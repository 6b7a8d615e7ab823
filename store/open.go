package store

import (
	"database/sql"
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

	"matrix-registration-bot/config"
	"matrix-registration-bot/crashpoint"
)

// Open connects to the database that uri names: `sqlite:file` or
// `postgres://user:password@host/database`. It neither takes the lock nor
// changes the schema: see Lock and Migrate.
func Open(uri string, log zerolog.Logger) (*DB, error) {
	d := &DB{now: time.Now}
	var err error
	if path, isFile := config.SQLiteFile(uri, ""); isFile {
		d.kind, d.path = sqlite, path
		d.db, err = openSQLite(path)
	} else if strings.HasPrefix(uri, "postgres:") || strings.HasPrefix(uri, "postgresql:") {
		d.kind, d.dsn = postgres, uri
		d.db, err = openPostgres(uri)
	} else {
		err = fmt.Errorf("%w: it begins with sqlite: or postgres://", ErrBadURI)
	}
	if err != nil {
		return nil, err
	}
	d.db.UpgradeTable = migrations()
	d.db.Log = dbutil.ZeroLogger(log)
	return d, nil
}

// OpenExisting is Open for those who only read: it returns ErrMissing rather
// than making an SQLite file.
func OpenExisting(uri string, log zerolog.Logger) (*DB, error) {
	if path, isFile := config.SQLiteFile(uri, ""); isFile {
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, ErrMissing
		}
	}
	return Open(uri, log)
}

func openSQLite(path string) (*dbutil.Database, error) {
	if path == "" {
		return nil, fmt.Errorf("%w: sqlite: needs a file name", ErrBadURI)
	}
	// The file holds keys and tokens, and SQLite gives its journal the same mode.
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	_ = file.Close()
	dsn := sqliteDSN(path)
	raw, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	raw = crashpoint.Database(raw, dsn)
	// SQLite has one writer at a time; a few more connections let readers by.
	raw.SetMaxOpenConns(4)
	return dbutil.NewWithDB(raw, "sqlite")
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

func openPostgres(uri string) (*dbutil.Database, error) {
	raw, err := sql.Open("pgx", uri)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadURI, err)
	}
	raw = crashpoint.Database(raw, uri)
	raw.SetMaxOpenConns(10)
	raw.SetMaxIdleConns(4)
	raw.SetConnMaxIdleTime(5 * time.Minute)
	return dbutil.NewWithDB(raw, "pgx")
}
