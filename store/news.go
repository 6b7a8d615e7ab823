package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/news"
)

// Seen implements news.Store.
func (d *DB) Seen(ctx context.Context) (map[string]news.Seen, error) {
	type row struct {
		token string
		news.Seen
	}
	rows, err := query(ctx, d, "listing what was seen of tokens", func(s dbutil.Scannable) (r row, err error) {
		var reminded int64
		err = s.Scan(&r.token, &r.Completed, &r.Ended, &reminded)
		if reminded != 0 {
			r.Reminded = time.UnixMilli(reminded)
		}
		return r, err
	}, `SELECT token, completed, ended, reminded FROM watched`)
	if err != nil {
		return nil, err
	}
	seen := make(map[string]news.Seen, len(rows))
	for _, r := range rows {
		seen[r.token] = r.Seen
	}
	return seen, nil
}

// SaveSeen implements news.Store.
func (d *DB) SaveSeen(ctx context.Context, token string, s news.Seen) error {
	var reminded int64
	if !s.Reminded.IsZero() {
		reminded = s.Reminded.UnixMilli()
	}
	return d.exec(ctx, "noting what was seen of a token", `
		INSERT INTO watched (token, completed, ended, reminded) VALUES ($1, $2, $3, $4)
		ON CONFLICT (token) DO UPDATE SET completed=excluded.completed, ended=excluded.ended, reminded=excluded.reminded`,
		token, s.Completed, s.Ended, reminded)
}

// ForgetSeen implements news.Store.
func (d *DB) ForgetSeen(ctx context.Context, token string) error {
	return d.exec(ctx, "forgetting what was seen of a token", `DELETE FROM watched WHERE token=$1`, token)
}

// AddNews implements news.Store.
func (d *DB) AddNews(ctx context.Context, item news.Item) error {
	body, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("saving news: %w", err)
	}
	return d.exec(ctx, "saving news", `INSERT INTO news (recipient, token, body, created_at) VALUES ($1, $2, $3, $4)`,
		item.To, item.Token, body, d.millis())
}

// News implements news.Store.
func (d *DB) News(ctx context.Context) ([]news.Item, error) {
	return query(ctx, d, "listing news", func(row dbutil.Scannable) (item news.Item, err error) {
		var body []byte
		if err = row.Scan(&item.Seq, &item.To, &item.Token, &body); err == nil {
			err = json.Unmarshal(body, &item)
		}
		return item, err
	}, `SELECT seq, recipient, token, body FROM news ORDER BY seq`)
}

// RemoveNews implements news.Store.
func (d *DB) RemoveNews(ctx context.Context, item news.Item) error {
	return d.exec(ctx, "removing news", `DELETE FROM news WHERE seq=$1`, item.Seq)
}

// LastMade implements news.Store.
func (d *DB) LastMade(ctx context.Context) (time.Time, error) {
	at, _, err := first(ctx, d, "looking for the newest token", scanOne[int64], `SELECT COALESCE(MAX(made_at), 0) FROM made`)
	return time.UnixMilli(at), err
}

// NewcomersSince implements news.Store.
func (d *DB) NewcomersSince(ctx context.Context, since time.Time) ([]id.UserID, error) {
	return query(ctx, d, "listing newcomers", scanOne[id.UserID], `SELECT user_id FROM newcomers WHERE at>=$1`, since.UnixMilli())
}
