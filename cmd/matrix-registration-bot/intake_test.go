//go:build goolm

package main

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/rs/zerolog"

	"matrix-registration-bot/store"
)

// Anybody can ask /ready and hang up.
func TestWhoHangsUpDoesNotMakeTheDatabaseBroken(t *testing.T) {
	db, err := store.Open("sqlite:"+filepath.Join(t.TempDir(), "bot.db"), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	in := newIntake(db, nil, zerolog.Nop())
	in.open()
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	if err := in.writable(gone); err != nil || in.broken.Load() {
		t.Errorf("the database counts as broken (%v): %v", in.broken.Load(), err)
	}
}
