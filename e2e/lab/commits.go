package lab

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
)

// Commits begins to count what changes the bot's database. The function that it
// returns, to be called once, says how many commits there were since: on SQLite
// that many frames of the write-ahead log end a transaction, on PostgreSQL that
// many transaction ids were used (also for what was rolled back).
func (l *Ledger) Commits(ctx context.Context) (count func() (int, error), err error) {
	if l.wal == "" {
		before, err := l.transactions(ctx)
		return func() (int, error) {
			after, err := l.transactions(ctx)
			return after - before, err
		}, err
	}
	// As long as somebody reads the present state, SQLite begins the log anew
	// once at most.
	reading, err := l.db.BeginTx(ctx, nil)
	if err == nil {
		err = reading.QueryRowContext(ctx, `SELECT count(*) FROM inbox`).Scan(new(int))
	}
	if err != nil {
		return nil, fmt.Errorf("counting commits: %w", err)
	}
	salt, before, err := l.logged()
	return func() (int, error) {
		defer func() { _ = reading.Rollback() }()
		now, after, err := l.logged()
		if bytes.Equal(now, salt) {
			after -= before
		}
		return after, err
	}, err
}

// transactions returns how many PostgreSQL has completed so far.
func (l *Ledger) transactions(ctx context.Context) (n int, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting commits: %w", err)
	}
	return n, nil
}

// logged returns how many commits stand in SQLite's write-ahead log, and the salt
// that all its valid frames bear: https://www.sqlite.org/fileformat.html#the_write_ahead_log.
func (l *Ledger) logged() (salt []byte, commits int, err error) {
	const header, frameHeader = 32, 24
	log, err := os.ReadFile(l.wal)
	if err != nil || len(log) < header {
		return nil, 0, err
	}
	frame := frameHeader + int(binary.BigEndian.Uint32(log[8:]))
	salt, log = log[16:24], log[header:]
	for ; len(log) >= frame && bytes.Equal(log[8:16], salt); log = log[frame:] {
		if binary.BigEndian.Uint32(log[4:]) > 0 { // pages after the commit
			commits++
		}
	}
	return salt, commits, nil
}
