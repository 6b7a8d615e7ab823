package chat

import (
	"testing"
	"testing/synctest"

	"maunium.net/go/mautrix/id"
)

// The client only logs it when the members of a room could not be stored. Who is in
// an old list would go on getting keys, and who has come since would get none.
func TestARoomWhoseMembersWereNotStoredIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &homeserver{people: []id.UserID{anna}}
		l := begin(t, server, echo)
		l.until("the bot is there", func() bool { return l.bot.session() != nil })
		l.hears("!room:x", anna, "one")
		l.answered("!room:x", "one")

		server.mu.Lock()
		server.people = []id.UserID{anna, "@ben:x"}
		server.mu.Unlock()
		l.must(l.db.ForgetState(t.Context(), "!room:x"))
		l.tamper(`CREATE TRIGGER full BEFORE INSERT ON mx_user_profile BEGIN SELECT RAISE(ABORT, 'full'); END`)
		if r, err := l.bot.session().room(t.Context(), "!room:x"); !isTemporary(err) {
			t.Errorf("the bot relies on the members %v (%v)", r.people, err)
		}
		l.tamper(`DROP TRIGGER full`)
		r, err := l.bot.session().room(t.Context(), "!room:x")
		l.must(err)
		if len(r.people) != 3 {
			t.Errorf("members: %v", r.people)
		}
	})
}

func (l *life) tamper(statement string) {
	l.Helper()
	_, err := l.db.Matrix().Exec(l.Context(), statement)
	l.must(err)
}

func (l *life) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}
