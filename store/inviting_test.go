package store

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/appservice"
	"matrix-registration-bot/commands"
)

func TestWhatTheMakerWroteDownIsKept(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		maker := commands.Maker{User: "@u:x", Event: "$1", RoomID: "!a:x", At: time.UnixMilli(5000), Recipient: "Großmutter", Note: "chess club"}
		must(t, db.SaveMade(t.Context(), "abc", maker))
		maker.Note = "bridge club"
		must(t, db.SaveMade(t.Context(), "abc", maker))
		made, err := db.Made(t.Context())
		must(t, err)
		if got := made["abc"]; !reflect.DeepEqual(got, maker) {
			t.Errorf("made %+v, want %+v", got, maker)
		}
	})
}

// Databases of the first version have makers without notes.
func TestMakersOfTheFirstVersionStay(t *testing.T) {
	for _, engine := range engines() {
		t.Run(engine, func(t *testing.T) {
			db := open(t, freshURI(t, engine))
			all := migrations()
			db.db.UpgradeTable = all[:1]
			must(t, db.Migrate(t.Context()))
			must(t, db.exec(t.Context(), "adding", `INSERT INTO made (token, maker, event_id, room_id, made_at) VALUES ('abc', '@u:x', '$1', '!a:x', 5000)`))
			must(t, db.exec(t.Context(), "adding", `INSERT INTO questions (question_id, room_id, asker, command, tokens, asked_on, open)
				VALUES ('$q', '!a:x', '@u:x', 'delete-all', $1, 5000, true)`, []byte(`["abc"]`)))
			db.db.UpgradeTable = all
			must(t, db.Migrate(t.Context()))
			made, err := db.Made(t.Context())
			must(t, err)
			if m := made["abc"]; m.User != "@u:x" || m.Note != "" || m.Recipient != "" {
				t.Errorf("made %+v", m)
			}
			q, ok, err := db.Question(t.Context(), "$q")
			must(t, err)
			if !ok || len(q.Tokens) != 1 || len(q.Words) != 0 {
				t.Errorf("question %+v", q)
			}
		})
	}
}

func TestPeopleKeepTheirSettings(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		person, err := db.Person(t.Context(), "@u:x")
		must(t, err)
		if person != commands.NewPerson() {
			t.Errorf("somebody unknown has %+v", person)
		}
		for _, want := range []commands.Person{{Language: "de", Notify: true}, {Language: "", Notify: false}} {
			must(t, db.SavePerson(t.Context(), "@u:x", want))
			if got, err := db.Person(t.Context(), "@u:x"); err != nil || got != want {
				t.Errorf("%+v became %+v, %v", want, got, err)
			}
		}
	})
}

func TestWhoUsedATokenIsKnownAndForgottenWithIt(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		first := commands.User{ID: "@later:x", At: time.UnixMilli(9000)}
		want := []commands.User{{ID: "@early:x", At: time.UnixMilli(1000), Certain: true}, {ID: "@later:x", At: time.UnixMilli(8000), Certain: true}}
		for _, u := range []commands.User{first, want[0], want[1]} {
			must(t, db.SaveUser(t.Context(), "abc", u))
		}
		must(t, db.SaveUser(t.Context(), "other", first))
		got, err := db.Users(t.Context(), "abc")
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("users %+v, want %+v", got, want)
		}
		must(t, db.Forget(t.Context(), "abc"))
		if got, _ := db.Users(t.Context(), "abc"); len(got) != 0 {
			t.Errorf("after the token is gone: %+v", got)
		}
		if got, _ := db.Users(t.Context(), "other"); len(got) != 1 {
			t.Errorf("of another token: %+v", got)
		}
	})
}

func TestWhatAPersonCreatesIsCounted(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		now := time.UnixMilli(1_000_000)
		db.now = func() time.Time { return now }
		var events []appservice.Event
		for _, e := range [][2]string{{"$1", "@u:x"}, {"$2", "@u:x"}, {"$3", "@other:x"}, {"$4", "@u:x"}, {"$5", "@u:x"}} {
			events = append(events, event(e[0], "!a:x", e[1]))
		}
		must(t, db.Accept(t.Context(), "t", events, nil))
		plan := func(event id.EventID, command string, at int64, states ...commands.StepState) {
			now = time.UnixMilli(at)
			p := commands.Plan{Event: event, Command: command}
			for _, state := range states {
				p.Steps = append(p.Steps, commands.Step{Kind: commands.StepCreate, Token: string(event), State: state})
			}
			must(t, db.SavePlan(t.Context(), p))
		}
		plan("$1", "create", 2_000_000, commands.StepDone)
		plan("$2", "create", 3_000_000, commands.StepPlanned, commands.StepFailed, commands.StepDone)
		plan("$3", "create", 3_000_000, commands.StepDone)
		plan("$4", "rotate", 3_000_000, commands.StepDone)
		plan("$5", "create", 4_000_000, commands.StepDone)
		must(t, db.Forget(t.Context(), "$5")) // deleted since: it was made all the same

		got, err := db.Created(t.Context(), "@u:x", "create", time.UnixMilli(2_500_000))
		must(t, err)
		if want := []time.Time{time.UnixMilli(3_000_000), time.UnixMilli(3_000_000), time.UnixMilli(4_000_000)}; !slices.EqualFunc(got, want, time.Time.Equal) {
			t.Errorf("created at %v, want %v", got, want)
		}
	})
}

func TestAQuestionKeepsWhatItWasGivenUntilItIsClosed(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		q := commands.Question{ID: "$q", RoomID: "!a:x", Asker: "@u:x", Command: "create", Words: []string{"uses=unlimited", "note=Ölberg \x00"}}
		must(t, db.SaveQuestion(t.Context(), q))
		got, ok, err := db.Question(t.Context(), "$q")
		must(t, err)
		if !ok || !slices.Equal(got.Words, q.Words) || len(got.Tokens) != 0 {
			t.Errorf("question %+v", got)
		}
		must(t, db.CloseQuestion(t.Context(), "$q"))
		left, err := query(t.Context(), db, "reading", scanOne[string], `SELECT words FROM questions`)
		must(t, err)
		if strings.Join(left, "") != "[]" {
			t.Errorf("the words are still there: %q", left)
		}
	})
}

func TestTheAuditIsReadFromItsEnd(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		record := func(n int64, user id.UserID) commands.AuditRecord {
			return commands.AuditRecord{
				At: time.UnixMilli(n), Event: "$1", User: user, RoomID: "!a:x", Role: access.Inviter,
				Command: "create", Outcome: "done", Subject: "abcd…",
			}
		}
		for n, user := range []id.UserID{"@a:x", "@b:x", "@a:x", "@b:x"} {
			must(t, db.Audit(t.Context(), record(int64(n), user)))
		}
		for _, test := range []struct {
			user id.UserID
			most int
			want []commands.AuditRecord
		}{
			{"", 3, []commands.AuditRecord{record(3, "@b:x"), record(2, "@a:x"), record(1, "@b:x")}},
			{"@a:x", 10, []commands.AuditRecord{record(2, "@a:x"), record(0, "@a:x")}},
			{"@nobody:x", 10, nil},
		} {
			got, err := db.AuditRecords(t.Context(), test.user, test.most)
			must(t, err)
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("of %q: %+v, want %+v", test.user, got, test.want)
			}
		}
	})
}
