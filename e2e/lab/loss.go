package lab

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
)

// LoseDatabase empties the database of a stopped bot, as if the disk was new and
// there was no backup.
func (b *Bot) LoseDatabase(ctx context.Context) error {
	uri, err := b.databaseURI()
	if err != nil {
		return fmt.Errorf("losing the database: %w", err)
	}
	if file, ok := strings.CutPrefix(uri, "sqlite:"); ok {
		return b.loseFile(file)
	}
	connection, err := pgx.Connect(ctx, uri)
	if err != nil {
		return fmt.Errorf("losing the database: %w", err)
	}
	defer func() { _ = connection.Close(ctx) }()
	if _, err := connection.Exec(ctx, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		return fmt.Errorf("losing the database: %w", err)
	}
	return nil
}

func (b *Bot) loseFile(name string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(b.file(name) + suffix); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("losing the database: %w", err)
		}
	}
	return nil
}
