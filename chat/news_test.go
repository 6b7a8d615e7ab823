package chat

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/locale"
)

func TestNewsNotifiesWhomItIsFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &homeserver{people: []id.UserID{anna}}
		l := begin(t, server, echo)
		l.until("the bot is there", func() bool { return l.bot.session() != nil })
		for _, person := range []id.UserID{anna, ""} {
			if err := l.bot.Tell(t.Context(), "!direct:x", person, locale.Text{Plain: "news", HTML: "<b>news</b>"}); err != nil {
				t.Fatal(err)
			}
		}
		l.bot.Deliver("!direct:x")
		l.answered("!direct:x", "news", "news")
		for i, want := range [][]id.UserID{{anna}, nil} {
			c := server.sent[i].content
			if c.MsgType != event.MsgText || c.FormattedBody != "<b>news</b>" || c.RelatesTo != nil {
				t.Errorf("the message is %+v", c)
			}
			if c.Mentions == nil || !slices.Equal(c.Mentions.UserIDs, want) {
				t.Errorf("it mentions %+v, want %v", c.Mentions, want)
			}
		}
	})
}

// News answers no event by which it could be recognised.
func TestNewsIsNotRepeatedWhenItsAnswerWasLostForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &homeserver{people: []id.UserID{anna}}
		l := begin(t, server, echo)
		l.until("the bot is there", func() bool { return l.bot.session() != nil })
		server.spoil(nil, to("/send/", away))
		if err := l.bot.Tell(t.Context(), "!direct:x", anna, locale.Text{Plain: "news"}); err != nil {
			t.Fatal(err)
		}
		l.bot.Deliver("!direct:x")
		time.Sleep(25 * time.Hour)
		server.spoil(nil, nil)
		l.hears("!direct:x", anna, "hello")
		l.answered("!direct:x", "news", "hello")
	})
}

func TestTheRoomsForNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &homeserver{people: []id.UserID{anna}, joined: []id.RoomID{"!one:x", "!broken:x", "!two:x"}}
		l := begin(t, server, echo)
		server.spoil(to("!broken", func(*http.Request) (*http.Response, error) {
			return says(http.StatusInternalServerError, `{"errcode":"M_UNKNOWN"}`), nil
		}), nil)
		l.until("the bot is there", func() bool { return l.bot.session() != nil })
		rooms, err := l.bot.Rooms(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, room := range rooms {
			ids = append(ids, room.ID.String())
			if len(room.People) != 2 || !slices.Contains(room.People, anna) || !slices.Contains(room.People, theBot) {
				t.Errorf("in %s are %v", room.ID, room.People)
			}
		}
		if got := strings.Join(ids, " "); got != "!one:x !two:x" {
			t.Errorf("the rooms are %s", got)
		}
		l.stop()
		if _, err := l.bot.Rooms(t.Context()); err == nil {
			t.Error("a bot that has stopped knows its rooms")
		}
	})
}

// A message to it would be dropped, and the news with it.
func TestEncryptedRoomsAreMuteWithoutEncryption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &homeserver{people: []id.UserID{anna}, joined: []id.RoomID{"!plain:x", "!encrypted:x"}}
		l := begin(t, server, echo)
		l.until("the bot is there", func() bool { return l.bot.session() != nil })
		if err := l.db.MarkEncrypted(t.Context(), "!encrypted:x"); err != nil {
			t.Fatal(err)
		}
		rooms, err := l.bot.Rooms(t.Context())
		if err != nil || len(rooms) != 2 {
			t.Fatalf("the rooms are %+v, %v", rooms, err)
		}
		for _, room := range rooms {
			if room.Mute != (room.ID == "!encrypted:x") {
				t.Errorf("%+v", room)
			}
		}
	})
}
