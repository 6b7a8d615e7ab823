package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"
	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"
)

const (
	// lockRetry is how often a waiting process looks whether the lock is free.
	lockRetry = 200 * time.Millisecond
	// lockGrace is how long a process waits after it got the lock on
	// PostgreSQL: the server frees it the moment a connection breaks, and the
	// former holder needs a moment to notice and stop.
	lockGrace = time.Second
	// lockQuiet is how long nothing is asked on the lock's connection, lockAnswer
	// how long the server may then take to answer: a machine that vanishes ends
	// no connection.
	lockQuiet  = 5 * time.Second
	lockAnswer = 10 * time.Second
	// advisoryKey names this program's lock within a PostgreSQL database.
	advisoryKey = 0x6d72656762 // "mregb"
)

// Lock is the right to be the one process that works with a database.
type Lock struct {
	lost    chan struct{}
	release func()
}

// Lost is closed when the right is gone without having been released: all work
// must stop at once.
func (l *Lock) Lost() <-chan struct{} { return l.lost }

// Release gives the right back.
func (l *Lock) Release() { l.release() }

// Lock takes the database for this process: on SQLite by an flock on
// `<file>.lock`, on PostgreSQL by a session's advisory lock. It waits for the
// holder to go until the context ends, and then returns ErrInUse. Other errors
// of the database are waited out too; the last one is part of the error.
func (d *DB) Lock(ctx context.Context, log zerolog.Logger) (*Lock, error) {
	var last error
	for told := false; ; {
		lock, err := d.tryLock(ctx)
		if err == nil {
			return lock, nil
		}
		if ctx.Err() == nil {
			last = err
		}
		if !told {
			log.Info().Err(err).Msg("Waiting for the database")
			told = true
		}
		select {
		case <-ctx.Done():
			err := ctx.Err()
			if last != nil {
				err = fmt.Errorf("%w: %w", last, err) // one line for whoever reads it
			}
			return nil, fmt.Errorf("taking the database: %w", err)
		case <-time.After(lockRetry):
		}
	}
}

// Held tells whether a process works with the database now.
func (d *DB) Held(ctx context.Context) (bool, error) {
	if d.kind == postgres {
		held, _, err := first(ctx, d, "looking who works with the database", scanOne[bool], `
			SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype='advisory' AND granted AND objsubid=1 AND (classid::bigint << 32 | objid::bigint)=$1
				AND database=(SELECT oid FROM pg_database WHERE datname=current_database()))`, int64(advisoryKey))
		return held, err
	}
	path := d.path + ".lock"
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	file := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := file.TryRLock()
	if err != nil {
		return false, fmt.Errorf("looking who works with the database: %w", err)
	}
	return !free, file.Close()
}

func (d *DB) tryLock(ctx context.Context) (*Lock, error) {
	if d.kind == postgres {
		return d.tryAdvisoryLock(ctx)
	}
	file := flock.New(d.path+".lock", flock.SetPermissions(0o600))
	ok, err := file.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking %s.lock: %w", d.path, err)
	} else if !ok {
		return nil, ErrInUse
	}
	// The kernel keeps an flock until the process ends: it can't get lost.
	return &Lock{lost: make(chan struct{}), release: func() { _ = file.Unlock() }}, nil
}

func (d *DB) tryAdvisoryLock(ctx context.Context) (*Lock, error) {
	conn, err := pgx.Connect(ctx, d.dsn)
	if err != nil {
		return nil, fmt.Errorf("connecting for the lock: %w", err)
	}
	var ok bool
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, int64(advisoryKey)).Scan(&ok)
	if err == nil && !ok {
		err = ErrInUse
	}
	if err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	select {
	case <-time.After(lockGrace):
	case <-ctx.Done():
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, ctx.Err()
	}
	return watch(conn, lockQuiet, lockAnswer), nil
}

// watch keeps reading from the lock's connection, because that is what notices
// its end at once, and asks now and then whether anybody is there still.
func watch(conn *pgx.Conn, quiet, answer time.Duration) *Lock {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	l := &Lock{lost: make(chan struct{}), release: func() {
		cancel()
		<-done
	}}
	go func() {
		defer close(done)
		for stands(ctx, conn, quiet, answer) == nil {
		}
		if ctx.Err() == nil {
			close(l.lost)
		}
		closing, stop := context.WithTimeout(context.Background(), time.Second)
		defer stop()
		_ = conn.Close(closing)
	}()
	return l
}

// stands returns nil if a connection stands after it has been quiet for a while.
func stands(ctx context.Context, conn *pgx.Conn, quiet, answer time.Duration) error {
	reading, stop := context.WithTimeout(ctx, quiet)
	defer stop()
	if _, err := conn.WaitForNotification(reading); ctx.Err() != nil || err != nil && reading.Err() == nil {
		return err
	}
	asking, stop := context.WithTimeout(ctx, answer)
	defer stop()
	return conn.Ping(asking)
}
