package store

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Temporary tells whether an error is the database's trouble of the moment: it
// is away, locked or full, or the connection broke. The same can succeed later,
// and it says nothing about what was to be done.
func Temporary(err error) bool {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return temporaryState(refused.Code)
	}
	if refused, ok := errors.AsType[*modernc.Error](err); ok {
		return temporaryCode(refused.Code())
	}
	if _, ok := errors.AsType[net.Error](err); ok || pgconn.SafeToRetry(err) {
		return true
	}
	for _, broken := range []error{driver.ErrBadConn, sql.ErrConnDone, sql.ErrTxDone, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, broken) {
			return true
		}
	}
	return false
}

// temporaryState knows the codes of PostgreSQL
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func temporaryState(code string) bool {
	const readOnly = "25006" // a standby that is about to take over
	switch code[:min(2, len(code))] {
	case "08", // connection
		"40", // rolled back: deadlock, serialization
		"53", // resources: disk full, too many connections
		"55", // not now: lock not available
		"57", // operator: shutting down, starting up, terminated
		"58": // system: input or output
		return true
	}
	return code == readOnly
}

// temporaryCode knows the codes of SQLite (https://www.sqlite.org/rescode.html).
func temporaryCode(code int) bool {
	const primary = 0xff // the rest are details
	switch code & primary {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOMEM,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN:
		return true
	}
	return false
}
