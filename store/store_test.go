package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/appservice"
	"matrix-registration-bot/commands"
	"matrix-registration-bot/tokens"
)

// postgresVariable names a PostgreSQL server on which the tests may create
// databases; `make test` sets it. Without it they run on SQLite alone.
const postgresVariable = "TEST_POSTGRES_URI"

// onEachEngine runs a test on an empty, migrated database of each kind.
func onEachEngine(t *testing.T, test func(t *testing.T, db *DB)) {
	t.Helper()
	for _, engine := range engines() {
		t.Run(engine, func(t *testing.T) {
			db := open(t, freshURI(t, engine))
			if err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			test(t, db)
		})
	}
}

func engines() []string {
	if os.Getenv(postgresVariable) == "" {
		return []string{"sqlite"}
	}
	return []string{"sqlite", "postgres"}
}

func freshURI(t *testing.T, engine string) string {
	t.Helper()
	if engine == "sqlite" {
		return "sqlite:" + filepath.Join(t.TempDir(), "bot.db")
	}
	server, err := pgx.ParseConfig(os.Getenv(postgresVariable))
	if err != nil {
		t.Fatal(err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	admin, err := pgx.ConnectConfig(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close(t.Context())
	if _, err := admin.Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("postgres://%s:%s@%s:%d/%s?sslmode=disable", server.User, server.Password, server.Host, server.Port, name)
}

func open(t *testing.T, uri string) *DB {
	t.Helper()
	db, err := Open(uri, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func event(eventID, room, sender string) appservice.Event {
	return appservice.Event{ID: eventID, RoomID: room, Sender: sender, Type: "m.room.message", Raw: []byte(`{"n":"` + eventID + `"}`), SentAt: 42}
}

func next(t *testing.T, db *DB, room id.RoomID) (Incoming, time.Duration) {
	t.Helper()
	e, wait, err := db.NextEvent(t.Context(), room)
	must(t, err)
	return e, wait
}

func TestAddressThatIsNone(t *testing.T) {
	for _, uri := range []string{"", "bot.db", "sqlite:", "mysql://localhost/x"} {
		if _, err := Open(uri, zerolog.Nop()); !errors.Is(err, ErrBadURI) {
			t.Errorf("Open(%q) = %v, want ErrBadURI", uri, err)
		}
	}
}

func TestDatabaseFileIsPrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name?#%.db")
	db := open(t, "sqlite:"+path)
	must(t, db.Migrate(t.Context()))
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	must(t, err)
	if len(files) == 0 {
		t.Fatal("no database file")
	}
	for _, file := range files {
		info, err := os.Stat(file)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", file, info.Mode())
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the file has another name: %v", files)
	}
}

// An older program must not touch what a newer one has made.
func TestNewerSchemaIsRefused(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		_, err := db.db.Exec(t.Context(), "UPDATE version SET version=999, compat=999")
		must(t, err)
		if err := db.Migrate(t.Context()); !errors.Is(err, ErrNewer) {
			t.Errorf("Migrate = %v, want ErrNewer", err)
		}
	})
}

// A database that has seen every version must look like a new one.
func TestSchemaStepByStepEqualsFresh(t *testing.T) {
	for _, engine := range engines() {
		t.Run(engine, func(t *testing.T) {
			fresh, stepwise := open(t, freshURI(t, engine)), open(t, freshURI(t, engine))
			must(t, fresh.Migrate(t.Context()))
			all := migrations()
			for n := range all {
				stepwise.db.UpgradeTable = all[:n+1]
				must(t, stepwise.Migrate(t.Context()))
			}
			want, got := schema(t, fresh), schema(t, stepwise)
			if len(want) < 20 {
				t.Fatalf("the schema of a new database is only %v", want)
			}
			if !slices.Equal(want, got) {
				t.Errorf("fresh:\n%s\n\nstep by step:\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
			}
		})
	}
}

func schema(t *testing.T, db *DB) []string {
	t.Helper()
	statement := `SELECT COALESCE(sql, name) FROM sqlite_schema ORDER BY name`
	if db.kind == postgres {
		statement = `SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || COALESCE(column_default, '')
			FROM information_schema.columns WHERE table_schema='public'
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname='public' ORDER BY 1`
	}
	lines, err := query(t.Context(), db, "reading the schema", scanOne[string], statement)
	must(t, err)
	return lines
}

func TestTransactionRollsBackOnErrorAndPanic(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		broken := errors.New("broken")
		err := db.Transact(t.Context(), func(ctx context.Context) error {
			must(t, db.PutSetting(ctx, "a", "1"))
			return broken
		})
		if !errors.Is(err, broken) {
			t.Errorf("Transact = %v", err)
		}
		func() {
			defer func() {
				if recover() != "ouch" {
					t.Error("the panic got lost")
				}
			}()
			_ = db.Transact(t.Context(), func(ctx context.Context) error {
				must(t, db.PutSetting(ctx, "a", "2"))
				panic("ouch")
			})
		}()
		value, err := db.Setting(t.Context(), "a")
		must(t, err)
		if value != "" {
			t.Errorf("%q was committed", value)
		}
		must(t, db.PutSetting(t.Context(), "a", "3")) // and nothing is locked
	})
}

func TestEventIsKeptOnce(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		odd := event("$1", "!a:x", "@u:x")
		odd.Raw = []byte("{\"a\":\"\\u0000\xff\"}")
		must(t, db.Accept(t.Context(), "t1", []appservice.Event{odd, odd}, nil))
		must(t, db.Accept(t.Context(), "t2", []appservice.Event{odd, event("$2", "!a:x", "@u:x")}, [][]byte{[]byte("\x00rubbish")}))
		e, _ := next(t, db, "!a:x")
		if e.EventID != "$1" || string(e.Raw) != string(odd.Raw) || e.SentAt.UnixMilli() != 42 || e.StateKey != nil {
			t.Errorf("first %+v", e)
		}
		must(t, db.Handled(t.Context(), "$1"))
		if err := db.Handled(t.Context(), "$1"); err == nil {
			t.Error("an event was handled twice")
		}
		must(t, db.Accept(t.Context(), "t3", []appservice.Event{odd}, nil))
		if e, _ := next(t, db, "!a:x"); e.EventID != "$2" {
			t.Errorf("then %+v", e)
		}
		must(t, db.Handled(t.Context(), "$2"))
		if e, wait := next(t, db, "!a:x"); e.EventID != "" || wait != 0 {
			t.Errorf("at last %+v, %s", e, wait)
		}
	})
}

func TestHandledEventsKeepNoText(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		must(t, db.Accept(t.Context(), "t", []appservice.Event{event("$1", "!a:x", "@u:x")}, nil))
		must(t, db.Handled(t.Context(), "$1"))
		n, _, err := first(t.Context(), db, "counting", scanOne[int], `SELECT COUNT(*) FROM inbox WHERE raw IS NOT NULL`)
		must(t, err)
		if n != 0 {
			t.Error("the text of a handled event is still there")
		}
	})
}

// A message whose key is missing holds up its sender's next ones, and nobody
// else's; membership changes are never held up.
func TestPostponedEventHoldsUpItsSenderOnly(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		leave := event("$4", "!a:x", "@slow:x")
		empty := ""
		leave.StateKey = &empty
		must(t, db.Accept(t.Context(), "t", []appservice.Event{
			event("$1", "!a:x", "@slow:x"), event("$2", "!a:x", "@slow:x"), event("$3", "!a:x", "@other:x"), leave,
		}, nil))
		must(t, db.AwaitKey(t.Context(), "$1", "!a:x", "session", time.Hour))
		for _, want := range []string{"$3", "$4"} {
			e, _ := next(t, db, "!a:x")
			if e.EventID.String() != want {
				t.Fatalf("next is %s, want %s", e.EventID, want)
			}
			must(t, db.Handled(t.Context(), e.EventID))
		}
		if e, wait := next(t, db, "!a:x"); e.EventID != "" || wait < time.Hour-time.Minute {
			t.Errorf("then %q after %s, want a wait of an hour", e.EventID, wait)
		}
		rooms, err := db.ReleaseWaiting(t.Context())
		must(t, err)
		if len(rooms) != 1 || rooms[0] != "!a:x" {
			t.Errorf("released %v", rooms)
		}
		if e, _ := next(t, db, "!a:x"); e.EventID != "$1" {
			t.Errorf("after the key came: %q", e.EventID)
		}
	})
}

func TestOneWaitForAllEventsOfASession(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		began := time.UnixMilli(1_000_000)
		db.now = func() time.Time { return began }
		first, err := db.KeyWait(t.Context(), "!a:x", "s")
		must(t, err)
		db.now = func() time.Time { return began.Add(time.Minute) }
		must(t, db.KeyRequested(t.Context(), "!a:x", "s"))
		must(t, db.KeyRequested(t.Context(), "!a:x", "s"))
		must(t, db.KeyGivenUp(t.Context(), "!a:x", "s"))
		second, err := db.KeyWait(t.Context(), "!a:x", "s")
		must(t, err)
		if !first.Since.Equal(began) || first.Requests != 0 || first.GivenUp {
			t.Errorf("first %+v", first)
		}
		if !second.Since.Equal(began) || second.Requests != 2 || !second.GivenUp {
			t.Errorf("second %+v", second)
		}
	})
}

func TestMessagesLeaveInOrder(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		messages := []Outgoing{
			{RoomID: "!a:x", Cause: "$1", Part: 0, TxnID: "r0-$1", Type: "m.room.message", Content: []byte("one"), Question: true, Encrypt: true},
			{RoomID: "!a:x", Cause: "$1", Part: 1, TxnID: "r1-$1", Type: "m.reaction", Content: []byte("two"), Target: "r0-$1"},
		}
		must(t, db.Queue(t.Context(), messages...))
		must(t, db.Queue(t.Context(), messages...)) // a repeat is the same message
		m, _, err := db.NextMessage(t.Context(), "!a:x")
		must(t, err)
		if m.TxnID != "r0-$1" || !m.Question || !m.Encrypt || !m.FirstTry.IsZero() {
			t.Errorf("first %+v", m)
		}
		must(t, db.Attempt(t.Context(), m.TxnID, "DEVICE"))
		must(t, db.Attempt(t.Context(), m.TxnID, "OTHER"))
		must(t, db.Retry(t.Context(), m.TxnID, time.Hour))
		m, wait, err := db.NextMessage(t.Context(), "!a:x")
		must(t, err)
		if m.TxnID != "r0-$1" || wait <= 0 || m.Device != "DEVICE" || m.Tries != 1 || m.FirstTry.IsZero() {
			t.Errorf("after a failed attempt %+v, %s", m, wait)
		}
		must(t, db.Delivered(t.Context(), "r0-$1", "$sent", time.UnixMilli(77)))
		question, err := db.QuestionBehind(t.Context(), "$sent")
		must(t, err)
		if question != "$1" {
			t.Errorf("question behind $sent: %q", question)
		}
		m, _, err = db.NextMessage(t.Context(), "!a:x")
		must(t, err)
		if m.TxnID != "r1-$1" {
			t.Errorf("second %+v", m)
		}
		must(t, db.Drop(t.Context(), "r1-$1"))
		if m, _, err = db.NextMessage(t.Context(), "!a:x"); err != nil || m.TxnID != "" {
			t.Errorf("third %+v, %v", m, err)
		}
		n, _, err := first(t.Context(), db, "counting", scanOne[int], `SELECT COUNT(*) FROM outbox WHERE content IS NOT NULL`)
		must(t, err)
		if n != 0 {
			t.Error("the text of a delivered message is still there")
		}
	})
}

func TestPlanSurvives(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		one := 1
		seen := tokens.Token{Text: "abc", Uses: &one}
		plan := commands.Plan{Event: "$1", Command: "delete", Steps: []commands.Step{
			{Kind: commands.StepDelete, Token: "abc", Seen: &seen, State: commands.StepPlanned},
			{Kind: commands.StepDelete, Token: "def", State: commands.StepPlanned},
		}}
		if _, ok, err := db.Plan(t.Context(), "$1"); ok || err != nil {
			t.Fatalf("a plan before any: %v, %v", ok, err)
		}
		must(t, db.SavePlan(t.Context(), plan))
		if err := db.SavePlan(t.Context(), plan); err == nil {
			t.Error("a plan was made twice")
		}
		plan.Steps[1].State = commands.StepDone
		must(t, db.SaveStep(t.Context(), "$1", 1, plan.Steps[1]))
		got, ok, err := db.Plan(t.Context(), "$1")
		must(t, err)
		if !ok || len(got.Steps) != 2 || got.Command != "delete" || *got.Steps[0].Seen.Uses != 1 || got.Steps[1].State != commands.StepDone {
			t.Errorf("plan %+v", got)
		}
	})
}

func TestForgottenTokenStandsNowhere(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		const secret = "Geheim123"
		seen := tokens.Token{Text: secret}
		must(t, db.SavePlan(t.Context(), commands.Plan{Event: "$1", Command: "create", Steps: []commands.Step{
			{Kind: commands.StepCreate, Token: secret, Drawn: true, Spec: &tokens.Spec{Text: secret}, State: commands.StepDone, Result: &seen},
		}}))
		must(t, db.SaveMade(t.Context(), secret, commands.Maker{User: "@u:x", Event: "$1", RoomID: "!a:x", At: time.Now()}))
		must(t, db.SaveQuestion(t.Context(), commands.Question{ID: "$2", RoomID: "!a:x", Asker: "@u:x", Command: "delete-all", Tokens: []string{"other", secret}}))
		must(t, db.SaveQuestion(t.Context(), commands.Question{ID: "$3", RoomID: "!b:x", Asker: "@u:x", Command: "update", Words: []string{secret, "expires=never"}}))
		must(t, db.SaveQuestion(t.Context(), commands.Question{ID: "$4", RoomID: "!c:x", Asker: "@u:x", Command: "update", Words: []string{"other", "expires=never"}}))
		must(t, db.Forget(t.Context(), secret))
		unanswered, err := query(t.Context(), db, "reading questions", scanOne[string],
			`SELECT question_id||CAST(tokens AS TEXT)||CAST(words AS TEXT) FROM questions`)
		must(t, err)
		for _, question := range unanswered {
			if text, _ := strings.CutPrefix(question, `\x`); strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
				t.Errorf("a question still holds it: %s", question)
			}
		}
		if q, ok, err := db.Question(t.Context(), "$2"); err != nil || !ok || !slices.Equal(q.Tokens, []string{"other", ""}) {
			t.Errorf("the question about several: %+v, %t, %v", q, ok, err)
		}
		if _, ok, err := db.Question(t.Context(), "$3"); err != nil || ok {
			t.Errorf("the question about it alone is open: %t, %v", ok, err)
		}
		if q, ok, err := db.Question(t.Context(), "$4"); err != nil || !ok || len(q.Words) != 2 {
			t.Errorf("a question about another: %+v, %t, %v", q, ok, err)
		}
		made, err := db.Made(t.Context())
		must(t, err)
		plan, ok, err := db.Plan(t.Context(), "$1")
		must(t, err)
		if len(made) != 0 || !ok || len(plan.Steps) != 1 || strings.Contains(fmt.Sprintf("%+v", plan), secret) {
			t.Errorf("made %v, plan %+v", made, plan)
		}
		if step := plan.Steps[0]; step.State != commands.StepDone || step.Kind != commands.StepCreate || !step.Drawn {
			t.Errorf("too much was forgotten: %+v", step)
		}
	})
}

func TestAllowListRoundTrip(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		entry := access.Entry{Pattern: "@a:x", Role: access.Manager, AddedBy: "@admin:x", AddedAt: time.UnixMilli(5000)}
		must(t, db.PutEntry(t.Context(), entry))
		entry.Role = access.None
		must(t, db.PutEntry(t.Context(), entry))
		list, err := db.AllowList(t.Context())
		must(t, err)
		if len(list) != 1 || list[0].Role != access.None || !list[0].AddedAt.Equal(entry.AddedAt) || list[0].AddedBy != "@admin:x" {
			t.Errorf("list %+v", list)
		}
		must(t, db.DeleteEntry(t.Context(), "@a:x"))
		must(t, db.DeleteEntry(t.Context(), "@a:x"))
		if list, _ := db.AllowList(t.Context()); len(list) != 0 {
			t.Errorf("list %+v", list)
		}
	})
}

func TestQuestionKnowsWhenItWasAsked(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		q := commands.Question{ID: "$q", RoomID: "!a:x", Asker: "@u:x", Command: "delete-all", Tokens: []string{"a", "b"}}
		must(t, db.SaveQuestion(t.Context(), q))
		must(t, db.Queue(t.Context(), Outgoing{RoomID: "!a:x", Cause: "$q", TxnID: "r0-$q", Type: "m.room.message", Question: true}))
		got, ok, err := db.LastQuestion(t.Context(), "!a:x", "@u:x")
		must(t, err)
		if !ok || got.ID != "$q" || len(got.Tokens) != 2 || !got.AskedAt.IsZero() {
			t.Errorf("before delivery %+v", got)
		}
		must(t, db.Delivered(t.Context(), "r0-$q", "$sent", time.UnixMilli(123456)))
		if got, ok, _ = db.Question(t.Context(), "$q"); !ok || !got.AskedAt.Equal(time.UnixMilli(123456)) {
			t.Errorf("after delivery %+v", got)
		}
		newer := q
		newer.ID = "$q2"
		must(t, db.SaveQuestion(t.Context(), newer))
		if _, ok, _ = db.Question(t.Context(), "$q"); ok {
			t.Error("an older question is still open")
		}
		must(t, db.CloseQuestion(t.Context(), "$q2"))
		if _, ok, _ = db.LastQuestion(t.Context(), "!a:x", "@u:x"); ok {
			t.Error("a closed question is still open")
		}
	})
}

func TestEncryptedMarkIsForEver(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		must(t, db.StateRead(t.Context(), "!a:x", true))
		must(t, db.ForgetState(t.Context(), "!a:x"))
		must(t, db.StateRead(t.Context(), "!a:x", false))
		r, err := db.Room(t.Context(), "!a:x")
		must(t, err)
		if !r.Encrypted || !r.StateRead {
			t.Errorf("room %+v", r)
		}
		must(t, db.Follow(t.Context(), "!b:x", "!a:x"))
		must(t, db.MarkEncrypted(t.Context(), "!b:x"))
		if r, _ = db.Room(t.Context(), "!b:x"); r.Predecessor != "!a:x" || !r.Encrypted || r.StateRead {
			t.Errorf("successor %+v", r)
		}
	})
}

func TestCommandsAreCounted(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		must(t, db.Accept(t.Context(), "t", []appservice.Event{event("$1", "!a:x", "@u:x"), event("$2", "!a:x", "@u:x"), event("$3", "!a:x", "@v:x")}, nil))
		must(t, db.MarkCommand(t.Context(), "$1"))
		must(t, db.MarkCommand(t.Context(), "$3"))
		n, err := db.CountCommands(t.Context(), "@u:x", time.Now().Add(-time.Minute))
		must(t, err)
		later, err := db.CountCommands(t.Context(), "@u:x", time.Now().Add(time.Minute))
		must(t, err)
		if n != 1 || later != 0 {
			t.Errorf("counted %d and %d, want 1 and 0", n, later)
		}
	})
}

func TestOldRowsGoAndOpenOnesStay(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		long := time.Now().Add(-40 * 24 * time.Hour)
		db.now = func() time.Time { return long }
		var events []appservice.Event
		for n := range 1200 {
			events = append(events, event(fmt.Sprint("$", n), "!a:x", "@u:x"))
		}
		must(t, db.Accept(t.Context(), "t", events, nil))
		for _, e := range events[1:] {
			must(t, db.exec(t.Context(), "ending", `UPDATE inbox SET state='handled' WHERE event_id=$1`, e.ID))
		}
		two := []commands.Step{{Kind: commands.StepCreate, Token: "x"}, {Kind: commands.StepCreate, Token: "y"}}
		for _, e := range []id.EventID{"$0", "$5"} {
			must(t, db.SavePlan(t.Context(), commands.Plan{Event: e, Command: "create", Steps: two}))
		}
		_, err := db.KeyWait(t.Context(), "!a:x", "session")
		must(t, err)
		db.now = time.Now
		_, err = db.KeyWait(t.Context(), "!b:x", "session")
		must(t, err)
		must(t, db.Clean(t.Context()))
		for table, want := range map[string]int{"inbox": 1, "plans": 1, "steps": 2, "key_waits": 1} {
			n, _, err := first(t.Context(), db, "counting", scanOne[int], `SELECT COUNT(*) FROM `+table)
			must(t, err)
			if n != want {
				t.Errorf("%s has %d rows, want %d", table, n, want)
			}
		}
	})
}

func TestOnlyOneProcessHoldsADatabase(t *testing.T) {
	for _, engine := range engines() {
		t.Run(engine, func(t *testing.T) {
			uri := freshURI(t, engine)
			one, two := open(t, uri), open(t, uri)
			isHeld := func(want bool) {
				t.Helper()
				// PostgreSQL frees a lock only after it has seen the connection's end.
				for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
					held, err := two.Held(t.Context())
					must(t, err)
					if held == want {
						return
					} else if time.Now().After(deadline) {
						t.Fatalf("Held = %t, want %t", held, want)
					}
				}
			}
			isHeld(false)
			held, err := one.Lock(t.Context(), zerolog.Nop())
			must(t, err)
			isHeld(true)
			untilItWaits, stop := context.WithCancel(t.Context())
			defer stop()
			if _, err := two.Lock(untilItWaits, zerolog.New(telling(stop))); !errors.Is(err, ErrInUse) {
				t.Fatalf("a second lock: %v, want ErrInUse", err)
			}
			held.Release() // PostgreSQL frees it a moment later
			taken, err := two.Lock(t.Context(), zerolog.Nop())
			must(t, err)
			taken.Release()
		})
	}
}

// telling is a log that calls a function for each line.
type telling func()

func (t telling) Write(line []byte) (int, error) {
	t()
	return len(line), nil
}

// When somebody ends the lock's connection, its holder must know.
func TestLostLockIsNoticed(t *testing.T) {
	if os.Getenv(postgresVariable) == "" {
		t.Skip("only PostgreSQL can lose a lock; " + postgresVariable + " is not set")
	}
	db := open(t, freshURI(t, "postgres"))
	lock, err := db.Lock(t.Context(), zerolog.Nop())
	must(t, err)
	must(t, db.exec(t.Context(), "ending the lock's connection", `
		SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype='advisory' AND database=(SELECT oid FROM pg_database WHERE datname=current_database())`))
	select {
	case <-lock.Lost():
	case <-time.After(10 * time.Second):
		t.Fatal("nobody noticed")
	}
	lock.Release()
}

// When the server's machine vanishes, nothing ends the connection.
func TestALockWhoseConnectionFallsSilentIsLost(t *testing.T) {
	if os.Getenv(postgresVariable) == "" {
		t.Skip("only PostgreSQL can lose a lock; " + postgresVariable + " is not set")
	}
	config, err := pgx.ParseConfig(freshURI(t, "postgres"))
	must(t, err)
	var line *deadLine
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		inner, err := (&net.Dialer{}).DialContext(ctx, network, address)
		line = &deadLine{Conn: inner}
		return line, err
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	must(t, err)
	lock := watch(conn, time.Millisecond, time.Second)
	defer lock.Release()
	asked := line.written.Load()
	for deadline := time.Now().Add(10 * time.Second); line.written.Load() < asked+10; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody asks")
		}
	}
	select {
	case <-lock.Lost():
		t.Fatal("it was lost though the server answers")
	default:
	}
	line.dead.Store(true)
	select {
	case <-lock.Lost():
	case <-time.After(10 * time.Second):
		t.Fatal("nobody noticed")
	}
}

// deadLine is a connection that takes everything and brings it nowhere, once it
// is dead.
type deadLine struct {
	net.Conn
	dead    atomic.Bool
	written atomic.Int64
}

func (d *deadLine) Write(data []byte) (int, error) {
	d.written.Add(1)
	if d.dead.Load() {
		return len(data), nil
	}
	return d.Conn.Write(data)
}

func TestOldKeysGo(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		keys := crypto.NewSQLCryptoStore(db.Matrix(), dbutil.NoopLogger, "@bot:x", "DEVICE", []byte("key"))
		must(t, keys.DB.Upgrade(t.Context()))
		old, fresh := time.Now().Add(-100*24*time.Hour).UTC(), time.Now().UTC()
		for session, at := range map[string]time.Time{"old": old, "fresh": fresh} {
			must(t, db.exec(t.Context(), "adding a key", `INSERT INTO crypto_megolm_inbound_session
				(account_id, session_id, sender_key, room_id, received_at) VALUES ('@bot:x', $1, 'k', '!a:x', $2)`, session, at))
			must(t, db.exec(t.Context(), "adding an index", `INSERT INTO crypto_message_index
				(session_id, "index", event_id, timestamp) VALUES ($1, 0, '$1', 1)`, session))
		}
		must(t, db.Clean(t.Context()))
		for _, table := range []string{"crypto_megolm_inbound_session", "crypto_message_index"} {
			left, err := query(t.Context(), db, "reading", scanOne[string], `SELECT session_id FROM `+table)
			must(t, err)
			if len(left) != 1 || strings.TrimSpace(left[0]) != "fresh" {
				t.Errorf("%s has %q", table, left)
			}
		}
	})
}

func TestRoomsCountForWhoInvited(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		must(t, db.MarkEncrypted(t.Context(), "!a:x"))
		for _, room := range []id.RoomID{"!a:x", "!b:x", "!c:x"} {
			must(t, db.Invited(t.Context(), room, "@u:x"))
		}
		must(t, db.Invited(t.Context(), "!d:x", "@other:x"))
		must(t, db.StateRead(t.Context(), "!a:x", false))
		must(t, db.Left(t.Context(), "!c:x"))
		if n, err := db.RoomsOf(t.Context(), "@u:x", "!b:x"); err != nil || n != 1 {
			t.Errorf("%d rooms besides !b:x (%v), want one", n, err)
		}
		if room, err := db.Room(t.Context(), "!a:x"); err != nil || !room.Encrypted {
			t.Errorf("%+v (%v) has lost its mark", room, err)
		}
	})
}

// Only SQLite says the same way of an empty table as of a full one.
func TestCountingInvitationsReadsThoseOfOnePerson(t *testing.T) {
	db := open(t, freshURI(t, "sqlite"))
	must(t, db.Migrate(t.Context()))
	steps, err := query(t.Context(), db, "explaining", func(row dbutil.Scannable) (step string, err error) {
		var ignored int
		err = row.Scan(&ignored, &ignored, &ignored, &step)
		return step, err
	}, "EXPLAIN QUERY PLAN "+invitationsBefore, "@u:x", "m.room.member", "@bot:x", "$1")
	must(t, err)
	if want := "SEARCH inbox USING INDEX inbox_invitations (sender=? AND seq<?)"; !slices.Contains(steps, want) {
		t.Errorf("the steps are %q, want %q", steps, want)
	}
}

func TestInvitationsThatWaitAreCounted(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		invitation := func(name, sender, user string) appservice.Event {
			e := event(name, "!"+name, sender)
			e.Type, e.StateKey = "m.room.member", &user
			return e
		}
		must(t, db.Accept(t.Context(), "1", []appservice.Event{
			invitation("$1", "@u:x", "@bot:x"), invitation("$2", "@u:x", "@bot:x"), invitation("$3", "@other:x", "@bot:x"),
			invitation("$4", "@u:x", "@friend:x"), invitation("$5", "@u:x", "@bot:x"), invitation("$6", "@u:x", "@bot:x"),
		}, nil))
		must(t, db.Handled(t.Context(), "$1"))
		fifth, _, err := db.NextEvent(t.Context(), "!$5")
		must(t, err)
		if n, err := db.InvitationsBefore(t.Context(), fifth); err != nil || n != 1 {
			t.Errorf("%d invitations came before (%v), want one", n, err)
		}
	})
}
