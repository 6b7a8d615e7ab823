package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"matrix-registration-bot/config"
)

// LoseDatabase empties the database of a stopped bot, as if its disk was new and
// there was no backup.
func (b *Bot) LoseDatabase(ctx context.Context) error {
	uri, err := b.DatabaseURI()
	if err != nil {
		return err
	}
	file, isFile := config.SQLiteFile(uri, b.dir)
	if !isFile {
		_, err := b.Tamper(ctx, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(file + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("losing the bot's database: %w", err)
		}
	}
	return nil
}
