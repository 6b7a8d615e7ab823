package commands

import (
	"testing"
	"time"

	"matrix-registration-bot/tokens"
)

// crashing lets a town run while it crashes at the n-th point, where points
// are before and after every request to the server, before every statement and
// after every commit. It sends the message until it has been handled, as the
// chat does after a restart, and tells whether the bot crashed at all.
func (t *town) crashing(server *server, n int, m Message) (crashed bool) {
	t.t.Helper()
	point := 0
	crash := func() {
		if point++; point == n {
			crashed = true
			panic(errCrash)
		}
	}
	t.store.at = crash
	server.at = func(string, bool) error { crash(); return nil }
	defer func() {
		t.store.at = func() {}
		server.at = func(string, bool) error { return nil }
	}()
	for range 5 {
		committed := len(t.store.rows.Outbox)
		err := t.dying(m)
		if err == nil || len(t.store.rows.Outbox) > committed {
			return crashed // handled, even if the bot died right after the commit
		}
		t.restart()
	}
	t.t.Fatalf("crash at point %d: the message is never handled", n)
	return crashed
}

// dying is handle for a bot that may die outside of the dispatcher too.
func (t *town) dying(m Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errCrash
		}
	}()
	_, err = t.handle(m)
	return err
}

// crashEverywhere runs a scene with a crash at every point that it has.
func crashEverywhere(t *testing.T, scene func(t *testing.T, town *town, server *server, crash func(Message))) {
	t.Helper()
	for n := 1; ; n++ {
		server := newServer()
		town := newTown(t, server)
		crashed := false
		scene(t, town, server, func(m Message) { crashed = town.crashing(server, n, m) })
		if t.Failed() {
			t.Fatalf("(crash at point %d)", n)
		}
		if !crashed {
			if least := 8; n < least {
				t.Fatalf("only %d points to crash at", n)
			}
			t.Logf("%d points", n-1)
			return
		}
	}
}

// answered returns what the bot has said in all, checked to be an answer.
func (t *town) answered(m Message) answer {
	return answer{t: t.t, question: m, Reply: Reply{Texts: t.store.rows.Outbox}}
}

func TestCreateSurvivesACrashAnywhere(t *testing.T) {
	for _, command := range []string{"create", "create token=chess-club", "create words for=Ann"} {
		t.Run(command, func(t *testing.T) {
			crashEverywhere(t, func(t *testing.T, town *town, server *server, crash func(Message)) {
				m := town.message(manager, command)
				crash(m)

				all := server.all()
				if len(all) != 1 {
					t.Fatalf("there are %d tokens, not one", len(all))
				}
				a := town.answered(m).has("I made the token " + all[0])
				if a.code() != all[0] || len(a.Texts) != 2 {
					t.Errorf("the answer should be two messages about %s:\n%s", all[0], a.plain())
				}
				if made := town.store.rows.Made; len(made) != 1 || made[all[0]].User != manager {
					t.Errorf("the makers are %v", made)
				}
				if audit := town.audited(); len(audit) != 1 {
					t.Errorf("the audit is %q", audit)
				}
			})
		})
	}
}

func TestSeveralTokensSurviveACrashAnywhere(t *testing.T) {
	crashEverywhere(t, func(t *testing.T, town *town, server *server, crash func(Message)) {
		town.settings.Limits[town.role(inviter)] = Limits{Open: 3, PerDay: 3}
		m := town.message(inviter, "create count=3 note=club")
		crash(m)

		all := server.all()
		if len(all) != 3 {
			t.Fatalf("there are %d tokens, not 3", len(all))
		}
		a := town.answered(m).has("I made 3 tokens", all[0], all[1], all[2])
		if len(a.Texts) != 2 {
			t.Errorf("the answer should be two messages:\n%s", a.plain())
		}
		for _, text := range all {
			if maker := town.store.rows.Made[text]; maker.User != inviter || maker.Note != "club" {
				t.Errorf("the maker is %+v", maker)
			}
		}
		town.says(inviter, "create").has("(0 left now)") // three places, and no more
	})
}

func TestAConfirmedCreateSurvivesACrashAnywhere(t *testing.T) {
	crashEverywhere(t, func(t *testing.T, town *town, server *server, crash func(Message)) {
		town.says(manager, "create expires=never note=club")
		town.store.rows.Outbox = nil
		m := town.message(manager, "confirm")
		crash(m)
		all := server.all()
		if len(all) != 1 || town.store.rows.Made[all[0]].Note != "club" {
			t.Fatalf("there are %d tokens, not one, by %v", len(all), town.store.rows.Made)
		}
		town.answered(m).has("I made the token "+all[0], "never expires")
		town.says(manager, "confirm").has("no open question")
	})
}

func TestATakenTextIsRefusedWhereverItCrashes(t *testing.T) {
	crashEverywhere(t, func(t *testing.T, town *town, server *server, crash func(Message)) {
		server.tokens["chess-club"] = tokens.Token{Text: "chess-club"}
		m := town.message(manager, "create token=chess-club")
		crash(m)
		town.answered(m).has("there is such a token already")
		if made := town.store.rows.Made; len(made) != 0 {
			t.Errorf("the makers are %v", made)
		}
	})
}

func TestDeleteSurvivesACrashAnywhere(t *testing.T) {
	crashEverywhere(t, func(t *testing.T, town *town, server *server, crash func(Message)) {
		for _, text := range []string{"one", "two", "three"} {
			server.tokens[text] = tokens.Token{Text: text}
		}
		m := town.message(manager, "delete one never-was three")
		crash(m)

		if all := server.all(); len(all) != 1 || all[0] != "two" {
			t.Errorf("left are %q", all)
		}
		town.answered(m).is("one is deleted.\n" +
			"never-was: I know no such token. list all shows those that there are.\n" +
			"three is deleted.")
	})
}

func TestDeleteAllSurvivesACrashAnywhere(t *testing.T) {
	for _, typed := range []bool{true, false} {
		crashEverywhere(t, func(t *testing.T, town *town, server *server, crash func(Message)) {
			for _, text := range []string{"one", "two", "three"} {
				server.tokens[text] = tokens.Token{Text: text}
			}
			question := town.says(admin, "delete-all").has("all 3 tokens")
			delete(server.tokens, "two")
			server.tokens["new"] = tokens.Token{Text: "new"}
			town.store.rows.Outbox = nil

			m := town.message(admin, "confirm")
			if !typed {
				m.Text, m.Reaction = "", &Reaction{Question: question.question.EventID, Key: "confirm"}
			}
			crash(m)

			if all := server.all(); len(all) != 1 || all[0] != "new" {
				t.Errorf("left are %q", all)
			}
			town.answered(m).is("2 tokens are deleted.\n1 was gone already.")
			town.says(admin, "confirm").has("no open question")
		})
	}
}

func TestALimitHoldsWhereverItCrashes(t *testing.T) {
	crashEverywhere(t, func(t *testing.T, town *town, server *server, crash func(Message)) {
		town.settings.Limits[town.role(inviter)] = Limits{Open: 2, PerDay: 3}
		town.says(inviter, "create")
		crash(town.message(inviter, "create"))
		town.says(inviter, "create").has("You have 2 tokens open")
		if all := server.all(); len(all) != 2 {
			t.Errorf("there are %d tokens", len(all))
		}
	})
}

func TestABegunCommandIsFinishedWithoutAskingAgain(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	m := town.message(inviter, "create")

	server.at = func(request string, after bool) error {
		if request == "create" && after {
			panic(errCrash)
		}
		return nil
	}
	if err := town.dying(m); err == nil {
		t.Fatal("the bot should have died")
	}
	server.at = func(string, bool) error { return nil }
	town.restart()

	// Too late, without a role, and with no place left: none of it counts now.
	m.Waited = 24 * time.Hour
	town.settings.Permissions = nil
	town.settings.EncryptionRequired, m.Encrypted = true, false
	town.send(m).has("I made the token " + server.all()[0])
}

// interrupt lets the bot die at a request, before or after its effect, and
// starts it anew.
func (t *town) interrupt(server *server, m Message, request string, after bool) {
	t.t.Helper()
	server.at = func(asked string, answered bool) error {
		if asked == request && answered == after {
			panic(errCrash)
		}
		return nil
	}
	if err := t.dying(m); err == nil {
		t.t.Fatal("the bot should have died")
	}
	server.at = func(string, bool) error { return nil }
	t.restart()
}

func TestWhatIsDeletedBeforeItsMakerHearsOfItIsSaidSo(t *testing.T) {
	for name, interrupt := range map[string]func(*town, *server, Message){
		"planned": func(town *town, server *server, m Message) {
			town.interrupt(server, m, "create", true)
		},
		"done": func(town *town, server *server, m Message) {
			if _, err := town.bot.Handle(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			town.restart()
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer()
			town := newTown(t, server)
			m := town.message(manager, "create token=chess-club")
			interrupt(town, server, m)
			town.says(admin, "delete chess-club").has("deleted")
			town.send(m).is("The token is gone: it was deleted before I could answer you.")
			if all := server.all(); len(all) != 0 {
				t.Errorf("there are %q", all)
			}
		})
	}
}

func TestADeleteThatIsForgottenBeforeItsAnswer(t *testing.T) {
	server := newServer()
	server.tokens["one"] = tokens.Token{Text: "one"}
	town := newTown(t, server)
	town.says(admin, "delete-all")
	m := town.message(manager, "delete one")
	town.interrupt(server, m, "delete", true)
	town.says(admin, "confirm").is("0 tokens are deleted.\n1 was gone already.")
	town.send(m).is("The token is gone: it was deleted before I could answer you.")
}

func TestAnInterruptedCreateKeepsItsPlace(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	town.settings.Limits[town.role(inviter)] = Limits{Open: 1}
	m := town.message(inviter, "create")
	town.interrupt(server, m, "create", false)
	town.says(inviter, "create").has("You have one token open")
	town.send(m).code()
	town.says(inviter, "create").has("You have one token open")
	if all := server.all(); len(all) != 1 {
		t.Errorf("there are %q", all)
	}
}

func TestAnInterruptedCreateWhoseTextIsTakenSince(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	m := town.message(manager, "create token=chess-club uses=5")
	town.interrupt(server, m, "create", false)
	town.says(inviter, "create token=chess-club").code()
	town.send(m).has("there is such a token already")
	town.says(inviter, "show chess-club").has("made by you")
}
