package store

import (
	"context"
	"time"

	"go.mau.fi/util/dbutil"
)

// Queue is how much waits, and since when.
type Queue struct {
	Length int
	Oldest time.Time // when the oldest came; zero: nothing waits
}

// Backlog tells what waits to be handled and to be sent.
func (d *DB) Backlog(ctx context.Context) (inbox, outbox Queue, err error) {
	if inbox, _, err = first(ctx, d, "counting what waits", scanQueue,
		`SELECT COUNT(*), COALESCE(MIN(received_at), 0) FROM inbox WHERE state='open'`); err != nil {
		return inbox, outbox, err
	}
	outbox, _, err = first(ctx, d, "counting what waits", scanQueue,
		`SELECT COUNT(*), COALESCE(MIN(created_at), 0) FROM outbox WHERE state='open'`)
	return inbox, outbox, err
}

func scanQueue(row dbutil.Scannable) (q Queue, err error) {
	var oldest int64
	if err = row.Scan(&q.Length, &oldest); q.Length > 0 {
		q.Oldest = time.UnixMilli(oldest)
	}
	return q, err
}
