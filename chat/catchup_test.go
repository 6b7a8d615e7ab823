package chat

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"matrix-registration-bot/appservice"
	"matrix-registration-bot/store"
)

// history is a homeserver that only knows what was said last in one room.
func history(t *testing.T, newestFirst ...string) *session {
	t.Helper()
	homeserver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/rooms/!room:x/messages") || r.URL.Query().Get("dir") != "b" {
			t.Errorf("the bot asks for %s", r.URL)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"chunk":[%s],"start":"t1"}`, strings.Join(newestFirst, ","))
	}))
	t.Cleanup(homeserver.Close)
	db, err := store.Open("sqlite:"+filepath.Join(t.TempDir(), "bot.db"), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	bot := New(Config{Homeserver: homeserver.URL, UserID: "@bot:x", ASToken: "token", Store: db, HTTP: homeserver.Client(), Log: zerolog.Nop()})
	s := newSession(bot)
	if s.client, err = newClient(s.cfg); err != nil {
		t.Fatal(err)
	}
	return s
}

func line(id, sender string, ago time.Duration, content string) string {
	return fmt.Sprintf(`{"event_id":%q,"room_id":"!room:x","sender":%q,"type":"m.room.message","origin_server_ts":%d,"content":%s}`,
		id, sender, time.Now().Add(-ago).UnixMilli(), content)
}

func TestMissedMessagesAreFound(t *testing.T) {
	const text = `{"msgtype":"m.text","body":"create"}`
	answerTo := func(id string) string {
		return `{"msgtype":"m.notice","body":"ok","m.relates_to":{"m.in_reply_to":{"event_id":"` + id + `"}}}`
	}
	joined := fmt.Sprintf(`{"event_id":"$join","room_id":"!room:x","sender":"@bot:x","type":"m.room.member","state_key":"@bot:x",
		"origin_server_ts":%d,"content":{"membership":"join"}}`, time.Now().UnixMilli())
	for name, c := range map[string]struct {
		newestFirst []string
		known       []string
		missed      string
	}{
		"one between two that came": {
			[]string{line("$3", "@u:x", 0, text), line("$2", "@u:x", 0, text), line("$1", "@u:x", 0, text)},
			[]string{"$1", "$3"},
			"[$2]",
		},
		"the last ones, in order": {
			[]string{line("$3", "@u:x", 0, text), line("$2", "@u:x", 0, text), line("$1", "@u:x", 0, text)},
			[]string{"$1"},
			"[$2 $3]",
		},
		"nothing known: the database may be new": {
			[]string{line("$2", "@u:x", 0, text), line("$1", "@u:x", 0, text)}, nil, "[]",
		},
		"answered: the database is an older copy": {
			[]string{line("$a", "@bot:x", 0, answerTo("$2")), line("$2", "@u:x", 0, text), line("$1", "@u:x", 0, text)},
			[]string{"$1"},
			"[]",
		},
		"too old": {
			[]string{line("$2", "@u:x", 2*time.Hour, text), line("$1", "@u:x", 2*time.Hour, text)},
			[]string{"$1"},
			"[]",
		},
		"before the bot came": {
			[]string{joined, line("$2", "@u:x", 0, text), line("$1", "@u:x", 0, text)},
			[]string{"$1"},
			"[]",
		},
		"all came": {
			[]string{line("$2", "@u:x", 0, text), line("$1", "@u:x", 0, text)}, []string{"$1", "$2"}, "[]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := history(t, c.newestFirst...)
			for _, raw := range c.newestFirst {
				evt, _ := appservice.ParseEvent(json.RawMessage(raw))
				for _, known := range c.known {
					if evt.ID != known {
						continue
					}
					if err := s.store.Accept(t.Context(), "t", []appservice.Event{evt}, nil); err != nil {
						t.Fatal(err)
					}
				}
			}
			missed, err := s.missedIn(t.Context(), "!room:x")
			if err != nil {
				t.Fatal(err)
			}
			ids := []string{}
			for _, evt := range missed {
				ids = append(ids, evt.ID)
			}
			if got := fmt.Sprint(ids); got != c.missed {
				t.Errorf("missed %s, want %s", got, c.missed)
			}
		})
	}
}
