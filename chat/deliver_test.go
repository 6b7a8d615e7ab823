package chat

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/appservice"
	"matrix-registration-bot/commands"
)

// The homeserver knows the transaction ids of another device no more. What was
// sent is recognised by what it belongs to.
func TestWhatAnotherDeviceHasSentIsNotSentAgain(t *testing.T) {
	asks := func(context.Context, commands.Message) (commands.Finish, error) {
		return func(context.Context) (commands.Reply, error) {
			return commands.Reply{Texts: []commands.Text{said("all of these"), said("sure?")}, Question: &commands.Question{}}, nil
		}, nil
	}
	invited := func(l *life) {
		bot := theBot.String()
		l.sees(appservice.Event{
			ID: "$invitation", RoomID: "!room:x", Sender: anna.String(), Type: "m.room.member", StateKey: &bot,
			Raw: []byte(`{"content":{"membership":"invite"}}`),
		})
	}
	asked := func(l *life) { l.hears("!room:x", anna, "delete-all") }
	for name, c := range map[string]struct {
		happens func(*life)
		sent    int // how many messages of the answer are out when the device is lost
		all     int
	}{
		"nothing":            {asked, 0, 4},
		"the first text":     {asked, 1, 4},
		"the question":       {asked, 2, 4},
		"a reaction":         {asked, 3, 4},
		"the other reaction": {asked, 4, 4},
		"a greeting":         {invited, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &homeserver{people: []id.UserID{anna}, joined: []id.RoomID{"!room:x"}}
				l := begin(t, server, asks)
				l.until("the bot is there", func() bool { return l.bot.session() != nil })
				lost := to("/send/", func(r *http.Request) (*http.Response, error) {
					if len(server.said("!room:x")) < c.sent {
						return nil, nil
					}
					return away(r)
				})
				if server.spoil(nil, lost); c.sent == 0 {
					server.spoil(lost, nil)
				}
				c.happens(l)
				l.until("it tries to send", func() bool { return len(server.said("!room:x")) == c.sent })
				time.Sleep(time.Minute)

				if err := l.db.PutSetting(t.Context(), "device_id", "OTHER"); err != nil {
					t.Fatal(err)
				}
				server.spoil(nil, nil)
				l.again()
				l.until("all is sent", func() bool {
					open, err := l.db.RoomsWithMessages(t.Context())
					return err == nil && len(open) == 0
				})
				if n := len(server.said("!room:x")); n != c.all {
					t.Errorf("%d messages were sent, want %d: %+v", n, c.all, server.sent)
				}
				l.seen.expect(l, map[string]int{"dropped": 0})
			})
		})
	}
}
