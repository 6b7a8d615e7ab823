//go:build e2e

package e2e

import (
	"fmt"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/faults"
	"matrix-registration-bot/e2e/lab"
)

// A command that was begun is finished, however long the bot was away. One that
// only came in is answered, not run.
func TestCommandsThatWaited(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		proxy := s.throughProxy()
		ledger, err := s.Bot.Ledger()
		s.must(err)
		s.Cleanup(ledger.Close)
		mia := s.chatWith(s.personWith("manager", "mia"))
		held := proxy.Spoil(0, create, faults.Silence())
		begun, came := mia.say("create"), mia.say("create")
		s.eventually("one command is begun and the other came in", func() bool {
			entry, err := ledger.Entry(s.Context(), came)
			s.must(err)
			return held.Met() > 0 && len(entry.Inbox) > 0
		})
		s.Bot.Kill()
		changed, err := s.Bot.Tamper(s.Context(), `UPDATE inbox SET received_at=received_at-2*3600*1000 WHERE state='open'`)
		s.must(err)
		if changed != 2 {
			s.Errorf("%d commands waited, want 2", changed)
		}
		held.Heal()
		recent := mia.say("create")
		s.startBot()

		answers := mia.answersTo([]id.EventID{begun, came, recent})
		s.distinctTokens(answers[:1])
		s.says(answers[1], "I was away", "2 hours")
		s.distinctTokens(answers[2:])
		if n := len(s.tokens()); n != 2 {
			s.Errorf("there are %d tokens, want 2", n)
		}
	})
}

// Only the homeserver's own word about the age counts, not a sender's clock.
func TestTheAgeOfACommand(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		event := func(eventID id.EventID, age time.Duration, sentAt time.Time) string {
			return fmt.Sprintf(`{"event_id": %q, "room_id": %q, "sender": %q, "type": "m.room.message", "unsigned": {"age": %d},
				"origin_server_ts": %d, "content": {"msgtype": "m.text", "body": "whoami"}}`,
				eventID, mia.roomID(), mia.room.(*lab.Chat).Person().UserID, age.Milliseconds(), sentAt.UnixMilli())
		}
		old, backward := id.EventID("$old-"+s.name), id.EventID("$backward-"+s.name)
		s.push("age-"+s.name, `{"events": [`+event(old, 2*time.Hour, time.Now())+`,`+event(backward, 0, time.Unix(0, 0))+`]}`)
		answers := mia.answersTo([]id.EventID{old, backward})
		s.says(answers[0], "I was away")
		s.says(answers[1], "manager")
	})
}
