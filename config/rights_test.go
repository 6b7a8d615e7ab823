package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"matrix-registration-bot/config"
)

func TestFilesThatEverybodyMayReadAreNamed(t *testing.T) {
	dir := t.TempDir()
	var c config.Config
	c.Appservice.Registration = filepath.Join(dir, "registration.yaml")
	c.Database.URI = "sqlite:" + filepath.Join(dir, "bot.db")
	for path, mode := range map[string]os.FileMode{"registration.yaml": 0o640, "bot.db": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, path), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if open := c.OpenToAll(); len(open) > 0 {
		t.Errorf("everybody may read %q", open)
	}
	if err := os.Chmod(filepath.Join(dir, "bot.db"), 0o604); err != nil {
		t.Fatal(err)
	}
	if open := c.OpenToAll(); !slices.Equal(open, []string{filepath.Join(dir, "bot.db")}) {
		t.Errorf("everybody may read %q, want the database only", open)
	}
}
