package chat

import (
	"errors"
	"net/http"
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

// The bot may miss the event that says that it left: it came while a homeserver had
// lost its memory, or was set aside.
func TestARoomThatTheBotIsNotInDoesNotCountForWhoInvited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &homeserver{people: []id.UserID{anna}, joined: []id.RoomID{"!here:x"}}
		l := begin(t, server, echo)
		l.until("the bot is there", func() bool { return l.bot.session() != nil })
		synctest.Wait()
		counts := func(want int) {
			t.Helper()
			if n, err := l.db.RoomsOf(t.Context(), anna, ""); err != nil || n != want {
				t.Errorf("%d rooms count (%v), want %d", n, err, want)
			}
		}
		for _, room := range []id.RoomID{"!here:x", "!left:x", "!gone:x"} {
			l.must(l.db.Invited(t.Context(), room, anna))
		}
		server.spoil(to("/state", func(*http.Request) (*http.Response, error) {
			return says(http.StatusForbidden, `{"errcode":"M_FORBIDDEN"}`), nil
		}), nil)
		if _, err := l.bot.session().room(t.Context(), "!gone:x"); !errors.Is(err, errGone) {
			t.Errorf("a room that the bot is not in: %v", err)
		}
		counts(2)
		server.spoil(nil, nil)
		l.again()
		l.until("the bot has looked", func() bool { return l.bot.session() != nil })
		synctest.Wait()
		counts(1)
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
