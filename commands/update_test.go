package commands

import (
	"errors"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/access"
	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

func TestUpdateChangesWhatIsNamed(t *testing.T) {
	for command, want := range map[string]string{
		"uses=5":                      "- 4 uses left\n- expires Tue 8 Dec 2099 05:50 UTC, in 7 days\n- for Ann\n- note: chess",
		"expires=14d":                 "- 1 use left\n- expires Tue 15 Dec 2099 05:50 UTC, in 14 days\n- for Ann\n- note: chess",
		"expires=2099-12-24":          "- 1 use left\n- expires Thu 24 Dec 2099 23:59 UTC, in 24 days\n- for Ann\n- note: chess",
		"for=Bob":                     "- 1 use left\n- expires Tue 8 Dec 2099 05:50 UTC, in 7 days\n- for Bob\n- note: chess",
		`note="two words" for=" "`:    "- 1 use left\n- expires Tue 8 Dec 2099 05:50 UTC, in 7 days\n- note: two words",
		"uses=2 note=x":               "- 1 use left\n- expires Tue 8 Dec 2099 05:50 UTC, in 7 days\n- for Ann\n- note: x",
		"uses=3 note=x expires=2h":    "- 2 uses left\n- expires Tue 1 Dec 2099 07:50 UTC, in 2 hours\n- for Ann\n- note: x",
		"--uses 3 —note “curly note”": "- 2 uses left\n- expires Tue 8 Dec 2099 05:50 UTC, in 7 days\n- for Ann\n- note: curly note",
	} {
		town, synapse := onSynapse(t)
		town.says(manager, "create token=abc uses=2 for=Ann note=chess")
		token := town.find(synapse.Tokens(), "abc")
		token.Completed = 1
		synapse.Put(token)
		made := town.store.rows.Made["abc"]

		town.says(manager, "update abc "+command).is("abc is now:\n" + want)
		town.says(admin, "update abc "+command).is("abc is now:\n" + want) // once more changes nothing
		got := town.store.rows.Made["abc"]
		if got.User != manager || !got.At.Equal(made.At) || got.Event != made.Event {
			t.Errorf("%s: the maker was %+v and is %+v", command, made, got)
		}
		if audit := strings.Join(town.audited(), "\n"); !strings.HasSuffix(audit, "@manager:example.com update done abc…\n@admin:example.com update done abc…") {
			t.Errorf("%s: the audit is\n%s", command, audit)
		}
	}
}

func TestUpdateExplainsWhatIsWrong(t *testing.T) {
	town, synapse := onSynapse(t)
	for command, says := range map[string]string{
		"update":                             "What shall be different?",
		"update abc":                         `as in update abcd1234 expires=14d or note="chess club"`,
		"update uses=5":                      "Which token?",
		"update abc def uses=5":              "I don't understand def here",
		"update abc uses 5":                  "update abcd1234 uses=5",
		"update abc uses=+1":                 "no number of uses",
		"update abc uses=0":                  "no number of uses",
		"update abc expires=yesterday":       "neither a length of time nor a date",
		"update abc expires=2020-01-01":      "over already",
		"update abc token=def":               "no option token",
		"update abc note=":                   "needs a value",
		"update abc uses=1 uses=2":           "twice",
		"update abc for=" + letters(61):      "it takes 60 characters",
		"update abc note=\"" + letters(201):  "it takes 200 characters",
		"update abc expires=14d uses=1e3":    "no number of uses",
		"update abc uses=99999999999999999":  "at most 1000000",
		"update abc expires=99999999999999d": "neither a length of time nor a date",
	} {
		town.says(manager, command).has(says)
	}
	if requests := synapse.Requests(); len(requests) > 0 {
		t.Errorf("the server was asked although nothing could come of it: %v", requests)
	}
	town.says(manager, "update nothing uses=5").is("nothing: I know no such token. list all shows those that there are.")
	town.says(manager, "update ünicode uses=5").has("can't be a token")
	town.says(manager, "create token=abc")
	town.says(friend, "update abc note=mine").is("abc: I know no such token. list all shows those that there are.")

	five := 5
	synapse.Put(tokens.Token{Text: "used", Uses: &five, Completed: 3})
	town.says(manager, "update used uses=3").is("used was used 3 times already, and they count: write at least uses=4, or delete it.")
	town.says(manager, "update used uses=4").has("1 use left")
	synapse.Put(tokens.Token{Text: "old", Uses: &five, Expires: days(town, -3)})
	town.says(manager, "update old uses=9").has("old has expired", "update old expires=7d")
	town.says(manager, "update old uses=9 expires=7d").has("9 uses left", "in 7 days")
}

func letters(n int) string { return strings.Repeat("x", n) }

func TestLosingEndOrLimitIsConfirmedFirst(t *testing.T) {
	for command, asks := range map[string]string{
		"update abc expires=never":                "Then abc never expires",
		"update abc uses=unlimited":               "any number of people can register with abc until it expires",
		"update abc uses=unlimited expires=never": "any number of people can register with abc, for ever",
	} {
		town, synapse := onSynapse(t)
		town.says(manager, "create token=abc")
		town.says(manager, command+" note=x").has(asks, "within five minutes")
		if token := town.find(synapse.Tokens(), "abc"); token.Uses == nil || token.Expires == nil {
			t.Error("it did not wait for the answer")
		}
		town.says(manager, "confirm").has("abc is now", "note: x")
		token := town.find(synapse.Tokens(), "abc")
		if (token.Uses == nil) != strings.Contains(command, "uses") || (token.Expires == nil) != strings.Contains(command, "expires") {
			t.Errorf("after %s it is %+v", command, token)
		}
		if a := town.says(manager, "update abc note=y "+strings.Join(strings.Fields(command)[2:], " ")); a.Question != nil {
			t.Errorf("it asks again:\n%s", a.plain())
		}
	}
}

func TestInvitersUpdateWithinTheirLimits(t *testing.T) {
	town, synapse := onSynapse(t)
	town.settings.Limits[access.Inviter] = Limits{Uses: 2, Expires: 7 * 24 * time.Hour, Open: 2}
	town.says(inviter, "create token=abc")
	town.says(inviter, "update abc uses=3").has("at most 2 accounts")
	town.says(inviter, "update abc uses=unlimited").has("at most 2 accounts")
	town.says(inviter, "update abc expires=8d").has("at most 7 days")
	town.says(inviter, "update abc expires=never").has("at most 7 days")
	town.says(inviter, "update abc uses=2 expires=1d").has("2 uses left", "in 24 hours")
	if audit := town.audited(); len(audit) != 6 || audit[1] != "@inviter:example.com update refused" {
		t.Errorf("the audit is %q", audit)
	}

	// What a token takes again when it comes back is a place.
	token := town.find(synapse.Tokens(), "abc")
	token.Expires = days(town, -1)
	synapse.Put(token)
	town.says(inviter, "create count=2")
	town.says(inviter, "update abc expires=1d").has("You have 2 tokens open")
	town.says(inviter, "update abc note=x").has("note: x")
	town.says(manager, "update abc expires=1d").has("in 24 hours")
}

func TestWhatWasMadeElsewhereCanHaveANote(t *testing.T) {
	town, synapse := onSynapse(t)
	synapse.Put(tokens.Token{Text: "curl"})
	town.says(manager, "update curl note=\"made by the script\"").has("note: made by the script")
	town.says(admin, "show curl").has("made elsewhere", "note: made by the script")
	town.says(inviter, "update curl note=mine").has("no such token")
}

func TestADeletedTokenIsNotUpdated(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	town := on(t, mas.Config())
	town.says(manager, "create token=abc")
	town.says(manager, "update abc uses=7").has("7 uses left")
	town.says(manager, "delete abc")
	town.says(manager, "update abc uses=5").has("abc was deleted before")
	town.says(manager, "update abc note=x").has("note: x")
}

func TestUpdateSurvivesACrashAnywhere(t *testing.T) {
	crashEverywhere(t, func(t *testing.T, town *town, server *server, crash func(Message)) {
		town.says(manager, "create token=abc note=old for=Ann")
		town.store.rows.Outbox, town.store.rows.Audit = nil, nil
		crash(town.message(manager, "update abc uses=5 note=new"))
		if token := server.tokens["abc"]; *token.Uses != 5 || !token.Expires.Equal(*days(town, 7)) {
			t.Errorf("the token is %+v", token)
		}
		if maker := town.store.rows.Made["abc"]; maker.Note != "new" || maker.Recipient != "Ann" || maker.User != manager {
			t.Errorf("the maker is %+v", maker)
		}
		town.answered(town.message(manager, "")).is("abc is now:\n- 5 uses left\n- expires Tue 8 Dec 2099 05:50 UTC, in 7 days\n- for Ann\n- note: new")
		if audit := town.audited(); len(audit) != 1 {
			t.Errorf("the audit is %q", audit)
		}
	})
}

func TestAnUpdateWhoseAnswerGotLost(t *testing.T) {
	for _, faults := range [][]fault{
		{{"update", true, kind(tokens.ErrUnknownOutcome)}},
		{{"update", false, kind(tokens.ErrUnknownOutcome)}},
		{{"update", true, errors.New("something that nobody thought of")}},
		{{"update", true, kind(tokens.ErrUnknownOutcome)}, {"get", false, kind(tokens.ErrUnreachable)}},
		{{"update", false, kind(tokens.ErrUnreachable)}, {"update", true, kind(tokens.ErrUnknownOutcome)}},
	} {
		server := newServer()
		town := newTown(t, server)
		town.says(manager, "create token=abc")
		updates := 0
		server.fail(faults...)
		fail := server.at
		server.at = func(request string, after bool) error {
			if request == "update" && after {
				updates++
			}
			return fail(request, after)
		}
		town.says(manager, "update abc uses=5").has("5 uses left")
		if *server.tokens["abc"].Uses != 5 || updates != 1 {
			t.Errorf("%v: it was updated %d times to %+v", faults, updates, server.tokens["abc"])
		}
	}
}

func TestSomebodyElseUpdatesAtTheSameTime(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	town.says(manager, "create token=abc")
	nine := 9
	server.at = func(request string, after bool) error {
		if request != "update" || !after {
			return nil
		}
		server.tokens["abc"] = tokens.Token{Text: "abc", Uses: &nine}
		return kind(tokens.ErrUnknownOutcome)
	}
	town.says(manager, "update abc uses=5").has("abc: somebody else changed it at the same time")
	if *server.tokens["abc"].Uses != 9 {
		t.Errorf("theirs is overwritten: %+v", server.tokens["abc"])
	}

	server.at = func(request string, after bool) error {
		if request == "update" && !after {
			delete(server.tokens, "abc")
		}
		return nil
	}
	town.says(manager, "update abc uses=5").has("was gone already")
	if made := town.store.rows.Made; len(made) != 0 {
		t.Errorf("the makers are %v", made)
	}
}
