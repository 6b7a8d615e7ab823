//go:build e2e

package crash

import (
	"bytes"
	"os"
	"testing"

	"matrix-registration-bot/e2e/lab"
)

func TestCrash(t *testing.T) {
	for database, s := range stages {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			onSQLite := database == "sqlite"
			t.Run("plain", func(t *testing.T) {
				s.walkThrough(t, s.plainRoom(t), false, *everywhere || onSQLite)
			})
			t.Run("encrypted", func(t *testing.T) {
				s.walkThrough(t, s.encryptedRoom(t), true, *everywhere)
			})
		})
	}
}

// walkThrough walks through all commands in a room; of their points it takes a
// quarter if it is not to take all.
func (s *stage) walkThrough(t *testing.T, room room, encrypted, all bool) {
	for i, c := range commands() {
		if encrypted && c.once != nil {
			continue // what comes by itself is delivered as answers are
		}
		t.Run(c.name, func(t *testing.T) {
			w := &walk{T: t, stage: s, room: room, encrypted: encrypted, command: c}
			w.through(all, i)
		})
		if t.Failed() {
			return // the bot may be in any state
		}
	}
}

// plainRoom opens a chat with the bot; its greeting has been heard.
func (s *stage) plainRoom(t *testing.T) room {
	t.Helper()
	dm, err := s.Admin.DM(t.Context(), s.bot.UserID)
	must(t, err)
	_, err = dm.Hear(t.Context())
	must(t, err)
	return dm
}

// encryptedRoom opens a chat in which every message has a key of its own, so
// that each walk meets the sharing of keys, in both directions. At the end the
// client must have been able to read all that the bot said.
func (s *stage) encryptedRoom(t *testing.T) room {
	t.Helper()
	node, err := lab.InstallNode(t.Context(), os.Stderr)
	must(t, err)
	phone := lab.JSDevice{Name: "phone", First: true}
	client, err := node.LogIn(t.Context(), s.Synapse, s.Admin.UserID, s.Admin.Password, phone)
	must(t, err)
	t.Cleanup(func() {
		client.Close()
		for _, e := range client.Unreadable() {
			t.Errorf("the client could not read %s of %s: %s", e.ID, e.Sender, e.Failure)
		}
	})
	dm, err := client.PlainDM(t.Context(), s.bot.UserID)
	must(t, err)
	_, err = dm.Hear(t.Context())
	must(t, err)
	must(t, dm.Encrypt(t.Context(), 1))
	return dm
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestOnlyTheTestBuildHasCrashPoints(t *testing.T) {
	const mark = "CRASH_ORDER"
	release, err := laboratory.Build(t.Context())
	must(t, err)
	for program, want := range map[string]bool{release: false, stages["sqlite"].bot.Program: true} {
		code, err := os.ReadFile(program)
		must(t, err)
		if bytes.Contains(code, []byte(mark)) != want {
			t.Errorf("%s knows %s: %t, want %t", program, mark, !want, want)
		}
	}
}
