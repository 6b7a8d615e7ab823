//go:build crashpoints

package crashpoint

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"regexp"
	"slices"
	"strings"
)

// Database opens the same database again, with points before and after each
// commit: those of transactions, and the implicit ones of single statements
// that write.
func Database(db *sql.DB, dsn string) *sql.DB {
	defer db.Close() // nothing was done with it yet
	return sql.OpenDB(connector{db.Driver(), dsn})
}

type connector struct {
	driver driver.Driver
	dsn    string
}

func (c connector) Driver() driver.Driver { return c.driver }

func (c connector) Connect(context.Context) (driver.Conn, error) {
	inner, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	return &conn{engine: inner.(engine)}, nil
}

// engine is what the connections of both our drivers can do.
type engine interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
}

type conn struct {
	engine
	open    bool     // in a transaction
	changes []string // what it has written
}

// Prepare is refused, as what is prepared would have no points.
func (*conn) Prepare(string) (driver.Stmt, error) {
	return nil, errors.New("crashpoint: prepared statements have no points")
}

func (c *conn) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.engine.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}

func (c *conn) IsValid() bool {
	validator, ok := c.engine.(driver.Validator)
	return !ok || validator.IsValid()
}

func (c *conn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	inner, err := c.engine.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	c.open, c.changes = true, nil
	return tx{inner, c}, nil
}

type tx struct {
	driver.Tx
	conn *conn
}

func (t tx) Commit() error {
	t.conn.open = false
	what := "commit " + strings.Join(t.conn.changes, ", ")
	meet("before", what)
	err := t.Tx.Commit()
	if err == nil {
		meet("after", what)
	}
	return err
}

func (t tx) Rollback() error {
	t.conn.open = false
	return t.Tx.Rollback()
}

func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	commit := c.begin(query)
	result, err := c.engine.ExecContext(ctx, query, args)
	if err == nil {
		commit()
	}
	return result, err
}

func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	commit := c.begin(query)
	inner, err := c.engine.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return rows{inner, commit}, nil
}

// rows of a statement that also writes are committed when they are closed.
type rows struct {
	driver.Rows
	commit func()
}

func (r rows) Close() error {
	err := r.Rows.Close()
	if err == nil {
		r.commit()
	}
	return err
}

var writing = regexp.MustCompile(`(?is)^\s*(?:--[^\n]*\n\s*)*(INSERT|UPDATE|DELETE|REPLACE)\s+(?:OR\s+\w+\s+)?(?:INTO\s+|FROM\s+)?(\w+)`)

// begin looks at a statement. Within a transaction it keeps what is written;
// outside of one it makes the point before the commit, and the returned
// function makes the one after it.
func (c *conn) begin(query string) (commit func()) {
	match := writing.FindStringSubmatch(query)
	if match == nil {
		return func() {}
	}
	change := strings.ToLower(match[1] + " " + match[2])
	if c.open {
		if !slices.Contains(c.changes, change) {
			c.changes = append(c.changes, change)
		}
		return func() {}
	}
	meet("before", "commit "+change)
	return func() { meet("after", "commit "+change) }
}
