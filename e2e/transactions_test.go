//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestNastyTransactions plays a homeserver that pushes what no client sends:
// it is taken, because a homeserver repeats what was refused for ever, and holds up
// nothing behind it.
func TestNastyTransactions(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		person := s.personWith("manager", "mia")
		dm, err := person.DM(s.Context(), s.Bot.UserID)
		s.must(err)
		mia := &chat{s, dm}
		event := func(n int, content string) string {
			return fmt.Sprintf(`{"event_id": "$nasty%d:lab.test", "room_id": %q, "sender": %q, "type": "m.room.message",
				"origin_server_ts": %d, "content": %s}`, n, dm.RoomID, person.UserID, time.Now().UnixMilli(), content)
		}
		text := func(n int, body string) string { return event(n, `{"msgtype": "m.text", "body": "`+body+`"}`) }
		var large []string
		for i := range 100 {
			large = append(large, text(1000+i, strings.Repeat("x", 64<<10)))
		}
		deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
		for i, events := range []string{
			text(1, `show \u0000 \u0000`),
			text(2, `\u0000`),
			text(3, `show \ud800 \udfff\ud83e`),
			event(4, `{"msgtype": "m.text", "body": `+deep+`}`),
			event(5, deep),
			deep,
			`1, null, "text", {}, {"event_id": 5}, {"event_id": "$nasty6"}`,
			event(7, `{"msgtype": 1e400, "body": {"m.relates_to": []}}`),
			event(8, `{"msgtype": "m.text", "body": "help", "m.relates_to": {"rel_type": "m.replace", "event_id": "$nasty8:lab.test"}}`),
			strings.Join(large, ","),
		} {
			s.push(fmt.Sprintf("nasty-%s-%d", s.name, i), `{"events": [`+events+`]}`)
		}
		s.push("nasty-"+s.name+"-text", "no JSON at all \xff")

		answer := mia.heardUntilAnswerTo(mia.say("whoami"))
		s.says(answer[len(answer)-1], "manager")
		mia.create()
	})
}
