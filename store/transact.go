package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"go.mau.fi/util/dbutil"
)

// Transact runs fn in one transaction, which fn's context carries. In a
// context that carries one already, fn simply runs in it. After a statement
// that fails nothing more is done, as on PostgreSQL, and nothing is committed,
// even if fn returns nil.
func (d *DB) Transact(ctx context.Context, fn func(ctx context.Context) error) error {
	var panicked any
	err := d.db.DoTxn(ctx, nil, func(ctx context.Context) (err error) {
		// dbutil rolls back on errors only: a panic would keep the connection and its locks.
		defer func() {
			if panicked = recover(); panicked != nil {
				err = errors.New("panic in transaction")
			}
		}()
		txn := d.db.Execable(ctx).(*dbutil.LoggingTxn)
		s, nested := txn.UnderlyingExecable.(*statements)
		if !nested {
			s = &statements{tx: txn.UnderlyingTx}
			txn.UnderlyingExecable = s
		}
		if err := fn(ctx); err != nil {
			return err
		}
		return s.failure()
	})
	if panicked != nil {
		panic(panicked)
	}
	return err
}

// statements are those of one transaction, up to the first that fails. mautrix
// tells nobody about some failures; and after some, as when the disk is full,
// SQLite has rolled the transaction back and would commit each further
// statement by itself.
type statements struct {
	tx *sql.Tx

	mu     sync.Mutex
	failed error
}

func (s *statements) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if err := s.failure(); err != nil {
		return nil, err
	}
	result, err := s.tx.ExecContext(ctx, query, args...)
	s.note(err)
	return result, err
}

func (s *statements) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := s.failure(); err != nil {
		return nil, err
	}
	rows, err := s.tx.QueryContext(ctx, query, args...)
	s.note(err)
	return rows, err
}

func (s *statements) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if err := s.failure(); err != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx) // only sql makes rows: it makes one with an error
		cancel()
	}
	row := s.tx.QueryRowContext(ctx, query, args...)
	s.note(row.Err())
	return row
}

func (s *statements) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// note keeps the first failure.
func (s *statements) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
	}
}
