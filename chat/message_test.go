package chat

import (
	"fmt"
	"testing"
	"testing/synctest"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/appservice"
)

func TestAReplyIsReadWithoutWhatItQuotes(t *testing.T) {
	const quoted, html = `"> <@bot:x> Which\n> token?\n\ncreate"`, `"<mx-reply><blockquote>Which token?</blockquote></mx-reply>create"`
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, &homeserver{people: []id.UserID{anna}}, echo)
		for n, more := range []string{"", `,"format":"org.matrix.custom.html","formatted_body":` + html} {
			l.sees(appservice.Event{
				ID: fmt.Sprintf("$reply%d", n), RoomID: "!room:x", Sender: anna.String(), Type: "m.room.message",
				Raw: fmt.Appendf(nil, `{"content":{"msgtype":"m.text","body":%s,"m.relates_to":{"m.in_reply_to":{"event_id":"$x"}}%s}}`, quoted, more),
			})
		}
		l.answered("!room:x", "create", "create")
	})
}
