package lab

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver "pgx"
	"gopkg.in/yaml.v3"
	"maunium.net/go/mautrix/id"
	_ "modernc.org/sqlite" // database/sql driver "sqlite"

	"matrix-registration-bot/config"
)

// Ledger is the bot's database, read from outside.
type Ledger struct {
	db  *sql.DB
	wal string // SQLite: the file with its write-ahead log
}

// Ledger opens the bot's database for reading, beside the bot.
func (b *Bot) Ledger() (*Ledger, error) {
	uri, err := b.DatabaseURI()
	if err != nil {
		return nil, err
	}
	if file, isFile := config.SQLiteFile(uri, b.dir); isFile {
		ledger, err := openLedger("sqlite", "file:"+file+"?mode=ro&_pragma=busy_timeout(10000)")
		if err != nil {
			return nil, err
		}
		ledger.wal = file + "-wal"
		return ledger, nil
	}
	return openLedger("pgx", uri)
}

func openLedger(driver, dsn string) (*Ledger, error) {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, fmt.Errorf("opening the bot's database: %w", err)
	}
	return &Ledger{db: db}, nil
}

// Close closes the database.
func (l *Ledger) Close() { _ = l.db.Close() }

// Entry is what the bot's database says about one event: the states of its rows
// in the order of their making.
type Entry struct {
	Inbox    []string // open, handled or aside
	Steps    []string // planned, done or failed: its effects on the server
	Messages []string // of its answer: open, delivered or dropped
	Audit    []string // outcomes
}

// Entry returns what stands there about an event.
func (l *Ledger) Entry(ctx context.Context, event id.EventID) (entry Entry, err error) {
	var bodies []string
	for _, q := range []struct {
		into  *[]string
		query string
	}{
		{&entry.Inbox, `SELECT state FROM inbox WHERE event_id=$1 ORDER BY seq`},
		{&bodies, `SELECT body FROM steps WHERE event_id=$1 ORDER BY n`},
		{&entry.Messages, `SELECT state FROM outbox WHERE cause=$1 ORDER BY seq`},
		{&entry.Audit, `SELECT outcome FROM audit WHERE event_id=$1 ORDER BY seq`},
	} {
		if *q.into, err = l.column(ctx, q.query, event.String()); err != nil {
			return entry, err
		}
	}
	for _, body := range bodies {
		var step struct{ State string }
		if err := json.Unmarshal([]byte(body), &step); err != nil {
			return entry, fmt.Errorf("reading a step: %w", err)
		}
		entry.Steps = append(entry.Steps, step.State)
	}
	return entry, nil
}

// LastReaction returns the newest reaction that the bot got.
func (l *Ledger) LastReaction(ctx context.Context) (event id.EventID, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT event_id FROM inbox WHERE type='m.reaction' ORDER BY seq DESC LIMIT 1`).Scan(&event)
	if err != nil {
		return "", fmt.Errorf("looking for a reaction: %w", err)
	}
	return event, nil
}

// Open returns how much work stands open: events to handle (whose plans are not
// finished either) and messages to deliver.
func (l *Ledger) Open(ctx context.Context) (events, messages int, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM inbox WHERE state='open'),
		(SELECT count(*) FROM outbox WHERE state='open')`).Scan(&events, &messages)
	if err != nil {
		return 0, 0, fmt.Errorf("counting open work: %w", err)
	}
	return events, messages, nil
}

// OpenWork is Ledger.Open for a bot that is dead. On SQLite it looks at a copy:
// whoever opens the file itself would mend it in the bot's place.
func (b *Bot) OpenWork(ctx context.Context) (events, messages int, err error) {
	uri, err := b.DatabaseURI()
	if err != nil {
		return 0, 0, err
	}
	driver, dsn := "pgx", uri
	if file, isFile := config.SQLiteFile(uri, b.dir); isFile {
		fresh := filepath.Join(b.dir, "open-work.db")
		driver, dsn = "sqlite", "file:"+fresh
		for _, suffix := range []string{"", "-wal"} {
			content, err := os.ReadFile(file + suffix)
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err == nil {
				err = os.WriteFile(fresh+suffix, content, 0o600)
			}
			if err != nil {
				return 0, 0, fmt.Errorf("copying the bot's database: %w", err)
			}
		}
	}
	ledger, err := openLedger(driver, dsn)
	if err != nil {
		return 0, 0, err
	}
	defer ledger.Close()
	return ledger.Open(ctx)
}

// AllowList returns the patterns on the bot's allow-list, sorted.
func (l *Ledger) AllowList(ctx context.Context) ([]string, error) {
	return l.column(ctx, `SELECT pattern FROM allow_list ORDER BY pattern`)
}

// Idle waits until no work stands open.
func (l *Ledger) Idle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		events, messages, err := l.Open(ctx)
		if err != nil || events+messages == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %d events are handled and %d messages delivered: %w", events, messages, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (l *Ledger) column(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := l.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading the bot's database: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var column []string
	for rows.Next() {
		var value string
		if err := rows.Scan(&value); err != nil {
			return nil, fmt.Errorf("reading the bot's database: %w", err)
		}
		column = append(column, value)
	}
	return column, rows.Err()
}

// DatabaseURI is what config.yaml names.
func (b *Bot) DatabaseURI() (string, error) {
	text, err := os.ReadFile(filepath.Join(b.dir, "config.yaml"))
	if err != nil {
		return "", fmt.Errorf("finding the bot's database: %w", err)
	}
	var found struct {
		Database struct {
			URI string `yaml:"uri"`
		} `yaml:"database"`
	}
	if err := yaml.Unmarshal(text, &found); err != nil {
		return "", fmt.Errorf("finding the bot's database: %w", err)
	}
	return found.Database.URI, nil
}
