package chat

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/appservice"
	"matrix-registration-bot/commands"
)

// As with messages: who was thrown out in the meantime is not heard any more.
func TestAReactionOfWhoHasLeftIsNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &homeserver{people: []id.UserID{anna}}
		l := begin(t, server, func(_ context.Context, m commands.Message) (commands.Finish, error) {
			return func(context.Context) (commands.Reply, error) {
				reply := commands.Reply{Texts: []commands.Text{said("sure?")}, Question: &commands.Question{}}
				if m.Reaction != nil {
					reply = commands.Reply{Texts: []commands.Text{said(m.Reaction.Key + " by " + m.Sender.String())}}
				}
				return reply, nil
			}, nil
		})
		l.hears("!room:x", anna, "delete-all")
		l.answered("!room:x", "sure?", "", "") // with its two reactions
		for n, who := range []id.UserID{"@gone:x", anna} {
			l.sees(appservice.Event{
				ID: fmt.Sprint("$reaction", n), RoomID: "!room:x", Sender: who.String(), Type: event.EventReaction.Type,
				Raw: fmt.Appendf(nil, `{"content":{"m.relates_to":{"rel_type":"m.annotation","event_id":%q,"key":"confirm"}}}`, server.sent[0].event),
			})
		}
		l.answered("!room:x", "sure?", "", "", "confirm by @anna:x")
	})
}
