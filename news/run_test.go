package news_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/news"
	"matrix-registration-bot/tokens"
)

func TestTheServerIsAskedOnceAnIntervalOrNotAtAll(t *testing.T) {
	for enabled, want := range map[bool]int{true: 60, false: 0} {
		synctest.Test(t, func(t *testing.T) {
			w := newTown(t)
			w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
			w.settings.Enabled, w.lists = enabled, 0
			w.runs(time.Hour)
			if w.lists != want {
				t.Errorf("enabled: %t: within an hour the server was asked %d times, want %d", enabled, w.lists, want)
			}
		})
	}
}

// Before the bot is a server admin the log tells the admin what to do: no warning
// besides that.
func TestTroubleIsLoggedOnceAndForWhatAwaitsTheAdminNobodyIsWarned(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*town)
		says  string
	}{
		"not an admin yet": {
			func(w *town) { w.away = &tokens.Error{Op: "list tokens", Kind: tokens.ErrNotAdmin} }, `"level":"info"`,
		},
		"the server is away": {
			func(w *town) { w.away = &tokens.Error{Op: "list tokens", Kind: tokens.ErrUnreachable} }, `"level":"warn"`,
		},
		"no room for the admins": {
			func(w *town) { w.settings.Room = "!gone:x" }, "not in the room of notify.room",
		},
		"an encrypted room without encryption": {
			func(w *town) {
				w.settings.Room, w.rooms = admins, []news.Room{{ID: admins, People: []id.UserID{bot}, Encrypted: true, Mute: true}}
			}, "encryption is off",
		},
		"an unencrypted room where encryption is required": {
			func(w *town) {
				w.settings.Room, w.settings.EncryptedOnly, w.rooms = admins, true, []news.Room{{ID: admins, People: []id.UserID{bot}}}
			}, "encryption is required",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newTown(t)
				test.spoil(w)
				w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
				w.register("@clara:x", "abcd")
				w.runs(3 * w.settings.Interval)
				if log := w.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, test.says) {
					t.Errorf("the log says %s, want one line with %s", log, test.says)
				}
			})
		})
	}
}

func TestAPanicEndsTheRoundAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
		w.broken, w.lists = "ouch", 0
		w.runs(3 * w.settings.Interval)
		if w.lists != 3 {
			t.Errorf("in three intervals the server was asked %d times", w.lists)
		}
		if log := w.log.String(); !strings.Contains(log, "panicked: ouch") || !strings.Contains(log, "news.(*Watcher).look(") {
			t.Errorf("the log says %s", log)
		}
	})
}
