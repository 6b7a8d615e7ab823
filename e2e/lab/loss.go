package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"
	"gopkg.in/yaml.v3"
)

// LoseDatabase empties the database of a stopped bot, as if the disk was new and
// there was no backup.
func (b *Bot) LoseDatabase(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(b.dir, "config.yaml"))
	if err != nil {
		return fmt.Errorf("losing the database: %w", err)
	}
	var config struct {
		Database struct {
			URI string `yaml:"uri"`
		} `yaml:"database"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return fmt.Errorf("losing the database: %w", err)
	}
	if file, ok := strings.CutPrefix(config.Database.URI, "sqlite:"); ok {
		return b.loseFile(file)
	}
	connection, err := pgx.Connect(ctx, config.Database.URI)
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
	if !filepath.IsAbs(name) {
		name = filepath.Join(b.dir, name)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(name + suffix); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("losing the database: %w", err)
		}
	}
	return nil
}
