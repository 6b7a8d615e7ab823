//go:build e2e

package e2e

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"
)

// What is said while the database is away is kept by the homeserver, which gets
// 503 after a while, and answered as soon as the database is back.
func TestDatabaseIsAway(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia, anna, room := s.plainAndSealed()
		bringBack := s.takeDatabaseAway()

		held := s.Watch("Starting recoverer")
		s.must(room.Rotate(s.Context())) // so that a key comes with it
		inPlain, sealed := mia.say("create"), anna.say("create")
		words, err := s.Bot.Unready(s.Context())
		s.must(err)
		if !strings.Contains(words, `"database":"not writable"`) {
			s.Errorf("/ready should say that it is the database: %s", words)
		}
		began := time.Now()
		status, answer, err := s.Bot.Push(s.Context(), "away-"+s.name, `{"events": [`+s.pushedText("$away-"+s.name, mia, "whoami")+`]}`)
		s.must(err)
		if status != http.StatusServiceUnavailable {
			s.Errorf("a transaction that can't be kept was answered %d %s", status, answer)
		}
		if waited := time.Since(began); waited > 25*time.Second {
			s.Errorf("a transaction waited for %s", waited)
		}
		s.must(held(s.Context()))

		bringBack()
		s.must(s.Bot.Ready(s.Context()))
		s.distinctTokens(append(mia.answersTo([]id.EventID{inPlain}), anna.answersTo([]id.EventID{sealed})...))
		if n := len(s.tokens()); n != 2 {
			s.Errorf("two commands made %d tokens", n)
		}
		s.must(s.Settled(s.Context()))
	})
}

// Connections that break in the middle of anything lose nothing.
func TestPostgresDisconnectsTheBot(t *testing.T) {
	onDatabase(t, "postgres", func(s *scene) {
		mia, anna, room := s.plainAndSealed()
		var plain, sealed []id.EventID
		for range 10 {
			s.must(room.Rotate(s.Context()))
			plain, sealed = append(plain, mia.say("create")), append(sealed, anna.say("create"))
			_, err := postgres.Disconnect(s.Context(), "bot", false)
			s.must(err)
		}
		s.distinctTokens(append(mia.answersTo(plain), anna.answersTo(sealed)...))
		if n := len(s.tokens()); n != 20 {
			s.Errorf("20 commands made %d tokens", n)
		}
	})
}

func TestDiskIsFull(t *testing.T) {
	onDatabase(t, "sqlite", func(s *scene) {
		mia, anna, room := s.plainAndSealed()
		disk, err := laboratory.SmallDisk(s.Context(), "full", 32<<20)
		s.must(err)
		home := s.Bot.Dir()
		s.must(s.Bot.Stop())
		s.must(s.Bot.MoveDatabase(disk.Dir))
		s.Cleanup(func() {
			s.must(disk.Free())
			s.must(s.Bot.Stop())
			s.must(s.Bot.MoveDatabase(home))
			s.must(s.Bot.Start(context.WithoutCancel(s.Context())))
		})
		s.startBot()

		mia.ask("whoami")
		s.must(disk.Fill())
		s.must(room.Rotate(s.Context()))
		plain, sealed := []id.EventID{mia.say("create")}, []id.EventID{anna.say("create")}
		_, err = s.Bot.Unready(s.Context())
		s.must(err)

		s.must(disk.Free())
		s.must(s.Bot.Ready(s.Context()))
		plain, sealed = append(plain, mia.say("create")), append(sealed, anna.say("create"))
		s.distinctTokens(append(mia.answersTo(plain), anna.answersTo(sealed)...))
		if n := len(s.tokens()); n != 4 {
			s.Errorf("four commands made %d tokens", n)
		}
	})
}

// plainAndSealed opens two direct chats of managers, one of them encrypted.
func (s *scene) plainAndSealed() (mia, anna *chat, room sealed) {
	s.Helper()
	mia = s.chatWith(s.personWith("manager", "mia"))
	anna, room = s.sealedDM(s.device(s.personWith("manager", "anna"), phone))
	return mia, anna, room
}

// takeDatabaseAway stops PostgreSQL, or takes SQLite's right to write.
func (s *scene) takeDatabaseAway() (bringBack func()) {
	s.Helper()
	if s.Site == sites["postgres"] {
		s.must(postgres.Stop())
		return func() { s.must(postgres.Start(s.Context())) }
	}
	release, err := s.Bot.OccupyDatabase(s.Context())
	s.must(err)
	release = sync.OnceValue(release)
	s.Cleanup(func() { _ = release() })
	return func() { s.must(release()) }
}
