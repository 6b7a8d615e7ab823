package commands

import (
	"slices"
	"strings"
	"testing"

	"matrix-registration-bot/access"
	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

func TestRotateKeepsAllButTheText(t *testing.T) {
	town, synapse := onSynapse(t)
	town.says(inviter, "create token=leaked for=Ann note=chess")
	five := 5
	synapse.Put(tokens.Token{Text: "leaked", Uses: &five, Completed: 2, Pending: 1, Expires: days(town, 3)})
	a := town.says(manager, "rotate leaked")
	left := synapse.Tokens()
	if len(left) != 1 || left[0].Text == "leaked" || *left[0].Uses != 2 || !left[0].Expires.Equal(*days(town, 3)) || left[0].Completed != 0 {
		t.Fatalf("the server has %+v", left)
	}
	code := left[0].Text
	if want := "leaked is deleted, and " + code + " takes its place:\n- for 2 accounts\n- expires Fri 4 Dec 2099 05:50 UTC, in 3 days\n" +
		"- for Ann\n- note: chess\nForward the next message to Ann."; len(a.Texts) != 2 || a.Texts[0].Plain != want {
		t.Errorf("the answer is\n%s\nand should begin with\n%s", a.plain(), want)
	}
	if a.code() != code {
		t.Error("there is no message to forward")
	}
	maker := town.store.rows.Made[code]
	if maker.User != inviter || maker.Note != "chess" || maker.Recipient != "Ann" || maker.RoomID != "!direct@inviter:example.com" {
		t.Errorf("the maker is %+v", maker)
	}
	if len(town.store.rows.Made) != 1 {
		t.Errorf("the makers are %v", town.store.rows.Made)
	}
	if audit := town.audited(); len(audit) != 3 || audit[2] != "@manager:example.com rotate done leak…" {
		t.Errorf("the audit is %q", audit)
	}
	town.says(inviter, "show "+code).has("made by you")
}

func TestRotateWithoutLimits(t *testing.T) {
	town, synapse := onSynapse(t)
	synapse.Put(tokens.Token{Text: "curl", Completed: 7})
	a := town.says(manager, "rotate curl")
	left := synapse.Tokens()
	if len(left) != 1 || left[0].Uses != nil || left[0].Expires != nil || a.Question != nil {
		t.Errorf("the server has %+v", left)
	}
	if maker := town.store.rows.Made[left[0].Text]; maker.User != manager {
		t.Errorf("the maker is %+v", maker)
	}
}

func TestRotateExplainsWhatIsWrong(t *testing.T) {
	town, synapse := onSynapse(t)
	one := 1
	synapse.Put(tokens.Token{Text: "used", Uses: &one, Completed: 1})
	synapse.Put(tokens.Token{Text: "old", Expires: days(town, -1)})
	synapse.Put(tokens.Token{Text: "good"})
	for command, says := range map[string]string{
		"rotate":          "Which token?",
		"rotate used old": "rotate takes one token at a time",
		"rotate used":     "used can't be used any more",
		"rotate old":      "old can't be used any more",
		"rotate nothing":  "nothing: I know no such token",
		"rotate ünicode":  "can't be a token",
	} {
		town.says(manager, command).has(says)
	}
	town.says(inviter, "rotate good").has("no such token")
	if n := len(synapse.Tokens()); n != 3 {
		t.Errorf("the server has %d tokens", n)
	}
}

func TestRotateTakesNoPlaceOfTheDay(t *testing.T) {
	town, _ := onSynapse(t)
	town.settings.Limits[access.Inviter] = Limits{Open: 1, PerDay: 1}
	code := town.says(inviter, "create").code()
	next := town.says(inviter, "rotate "+code).code()
	if next == code {
		t.Error("the text is the same")
	}
	town.says(inviter, "rotate "+code).has("no such token")
	town.says(inviter, "rotate "+next).code()
}

func TestRotateWhereDeletedTokensStay(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	town := on(t, mas.Config())
	town.says(manager, "create token=leaked note=chess")
	code := town.says(manager, "rotate leaked").code()
	town.says(manager, "list").has(code, "1 valid token").lacks("leaked")
	town.says(manager, "rotate leaked").has("can't be used any more")
	town.says(manager, "show leaked").has("leaked was deleted", "note: chess")
}

func TestRotateSurvivesACrashAnywhere(t *testing.T) {
	crashEverywhere(t, func(t *testing.T, town *town, server *server, crash func(Message)) {
		town.says(manager, "create token=leaked note=chess uses=3")
		town.store.rows.Outbox = nil
		m := town.message(manager, "rotate leaked")
		crash(m)
		all := server.all()
		if len(all) != 1 || all[0] == "leaked" || *server.tokens[all[0]].Uses != 3 {
			t.Fatalf("the server has %+v", server.tokens)
		}
		town.answered(m).has("leaked is deleted, and " + all[0] + " takes its place")
		if made := town.store.rows.Made; len(made) != 1 || made[all[0]].Note != "chess" {
			t.Errorf("the makers are %v", made)
		}
	})
}

func TestTheOldTokenStaysUntilThereIsANewOne(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	town.says(manager, "create token=leaked")
	server.fail(fault{"create", false, kind(tokens.ErrRefused)})
	a := town.says(manager, "rotate leaked").has("refused", "leaked stays as it was")
	if all := server.all(); !slices.Equal(all, []string{"leaked"}) || len(a.Texts) != 1 {
		t.Errorf("the server has %q, the answer is\n%s", all, a.plain())
	}

	server.fail(fault{"delete", false, kind(tokens.ErrRefused)})
	a = town.says(manager, "rotate leaked").has("could not delete leaked: now both can be used", "refused")
	if all := server.all(); len(all) != 2 || !slices.Contains(all, a.code()) {
		t.Errorf("the server has %q", all)
	}

	// Somebody else deletes it just then, which is as good.
	server.at = func(request string, after bool) error {
		if request == "delete" && !after {
			delete(server.tokens, "leaked")
		}
		return nil
	}
	town.says(manager, "rotate leaked").has("leaked is deleted, and")
	for text := range town.store.rows.Made {
		if strings.HasPrefix(text, "leaked") {
			t.Error("a token that is gone has a maker")
		}
	}
}
