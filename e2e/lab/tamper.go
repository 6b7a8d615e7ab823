package lab

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"matrix-registration-bot/config"
)

// Tamper changes the bot's database from outside, and returns how many rows that
// concerned.
func (b *Bot) Tamper(ctx context.Context, statement string, args ...any) (int64, error) {
	db, err := b.openDatabase()
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	result, err := db.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, fmt.Errorf("tampering with the bot's database: %w", err)
	}
	return result.RowsAffected()
}

// OccupyDatabase holds SQLite's one right to write, as another program could,
// until release is called.
func (b *Bot) OccupyDatabase(ctx context.Context) (release func() error, err error) {
	db, err := b.openDatabase()
	if err != nil {
		return nil, err
	}
	connection, err := db.Conn(ctx)
	if err == nil {
		_, err = connection.ExecContext(ctx, "BEGIN IMMEDIATE")
	}
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("occupying the bot's database: %w", err)
	}
	return func() error {
		_, err := connection.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(err, connection.Close(), db.Close())
	}, nil
}

// MoveDatabase moves the SQLite database of a stopped bot into another folder,
// where the bot will look for it.
func (b *Bot) MoveDatabase(dir string) error {
	uri, err := b.DatabaseURI()
	if err != nil {
		return err
	}
	from, _ := config.SQLiteFile(uri, b.dir)
	to := filepath.Join(dir, filepath.Base(from))
	content, err := os.ReadFile(from) // the bot leaves no journal when it stops
	if err != nil {
		return fmt.Errorf("moving the bot's database: %w", err)
	}
	if err := os.WriteFile(to, content, 0o600); err != nil {
		return fmt.Errorf("moving the bot's database: %w", err)
	}
	if err := os.Remove(from); err != nil {
		return fmt.Errorf("moving the bot's database: %w", err)
	}
	return b.EditConfig("uri: "+uri, "uri: sqlite:"+to)
}

// Dir is the folder with the bot's files.
func (b *Bot) Dir() string { return b.dir }

func (b *Bot) openDatabase() (*sql.DB, error) {
	uri, err := b.DatabaseURI()
	if err != nil {
		return nil, err
	}
	driver, dsn := "pgx", uri
	if file, isFile := config.SQLiteFile(uri, b.dir); isFile {
		driver, dsn = "sqlite", "file:"+file+"?_pragma=busy_timeout(10000)"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, fmt.Errorf("opening the bot's database: %w", err)
	}
	return db, nil
}
