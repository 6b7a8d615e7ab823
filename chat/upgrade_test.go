package chat

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/appservice"
)

// Whoever may upgrade a room can name any other as its successor, again and again.
func TestRoomsThatReplaceOthersCountForWhoUpgraded(t *testing.T) {
	for role, want := range map[access.Role]int32{access.None: mostRooms, access.Inviter: mostRooms, access.Manager: mostRooms + 5} {
		t.Run(role.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var joined atomic.Int32
				server := &homeserver{people: []id.UserID{anna}, fault: func(r *http.Request) (*http.Response, error) {
					_, room, joins := strings.Cut(r.URL.Path, "/join/")
					if !joins {
						return nil, nil
					}
					joined.Add(1)
					return says(http.StatusOK, fmt.Sprintf(`{"room_id":%q}`, room)), nil
				}}
				l := begin(t, server, echo, func(cfg *Config) { cfg.Commands = everybody{echo, role} })
				l.until("the bot is there", func() bool { return l.bot.session() != nil })
				for n := range mostRooms + 5 {
					l.sees(appservice.Event{
						ID: fmt.Sprint("$upgrade", n), RoomID: "!old:x", Sender: anna.String(), Type: event.StateTombstone.Type, StateKey: new(""),
						Raw: fmt.Appendf(nil, `{"content":{"replacement_room":"!new%d:x"}}`, n),
					})
				}
				l.hears("!old:x", anna, "the end")
				l.answered("!old:x", "the end")
				if got := joined.Load(); got != want {
					t.Errorf("the bot followed into %d rooms, want %d", got, want)
				}
			})
		})
	}
}

// everybody has the same role.
type everybody struct {
	handler
	role access.Role
}

func (e everybody) Decide(context.Context, id.UserID) (access.Decision, error) {
	return access.Decision{Role: e.role}, nil
}
