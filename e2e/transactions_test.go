//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"
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

// Homeservers send again what was not answered: at the same time, under the same
// id with more in it, or in another order. Each event counts once.
func TestTheSameAgain(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		var ids []id.EventID
		var events []string
		for i := range 7 {
			ids = append(ids, id.EventID(fmt.Sprintf("$again%d-%s", i, s.name)))
			events = append(events, s.pushedText(ids[i].String(), mia, "create"))
		}
		push := func(transaction int, which ...int) {
			var chosen []string
			for _, i := range which {
				chosen = append(chosen, events[i])
			}
			s.push(fmt.Sprintf("again%d-%s", transaction, s.name), `{"events": [`+strings.Join(chosen, ",")+`]}`)
		}
		atOnce := func(pushes ...func()) {
			var senders sync.WaitGroup
			for _, push := range pushes {
				senders.Go(push)
			}
			senders.Wait()
		}
		twice := func() { push(1, 0, 1) }
		atOnce(twice, twice, twice, twice)
		push(1, 0, 1, 2) // Dendrite
		push(2, 0, 3, 2) // with old ones
		push(4, 5, 5)    // before the one that went before it
		push(3, 4, 1, 5, 3)
		sixth := func(transaction int) func() { return func() { push(transaction, 6) } }
		atOnce(sixth(5), sixth(6), sixth(7))

		order := []id.EventID{ids[0], ids[1], ids[2], ids[3], ids[5], ids[4], ids[6]}
		s.distinctTokens(mia.answersTo(order))
		if n := len(s.tokens()); n != len(order) {
			s.Errorf("%d commands made %d tokens", len(order), n)
		}
	})
}
