package commands

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"matrix-registration-bot/tokens"
)

func days(town *town, n int) *time.Time {
	t := town.now.AddDate(0, 0, n)
	return &t
}

func TestListShowsTheSoonestToExpireFirst(t *testing.T) {
	town, synapse := onSynapse(t)
	one := 1
	synapse.Put(tokens.Token{Text: "endless"})
	synapse.Put(tokens.Token{Text: "later", Expires: days(town, 9), Uses: &one})
	synapse.Put(tokens.Token{Text: "soon", Expires: days(town, 3), Pending: 2})
	synapse.Put(tokens.Token{Text: "old", Expires: days(town, -3)})
	synapse.Put(tokens.Token{Text: "used", Uses: &one, Completed: 1})
	town.says(inviter, "create token=mine")

	town.says(manager, "list").is("4 valid tokens:\n" +
		"- soon · unlimited uses, 2 pending · expires Fri 4 Dec 2099 05:50 UTC, in 3 days · made elsewhere\n" +
		"- mine · 1 use left · expires Tue 8 Dec 2099 05:50 UTC, in 7 days · made by @inviter:example.com\n" +
		"- later · 1 use left · expires Thu 10 Dec 2099 05:50 UTC, in 9 days · made elsewhere\n" +
		"- endless · unlimited uses · never expires · made elsewhere")
	town.says(manager, "list expired").is("1 expired token:\n" +
		"- old · unlimited uses · expired Sat 28 Nov 2099 05:50 UTC, 3 days ago · made elsewhere")
	town.says(manager, "list USED").has("1 used up token:", "used · 0 uses left")
	town.says(manager, "list all").has("6 tokens:")
	town.says(inviter, "list").is("1 valid token:\n" +
		"- mine · 1 use left · expires Tue 8 Dec 2099 05:50 UTC, in 7 days\n" +
		"Only tokens that you made are shown.")
	town.says(friend, "list").has("create makes one")
	town.says(manager, "list soon").has("I don't understand soon")
}

func TestListHasPages(t *testing.T) {
	town, synapse := onSynapse(t)
	for n := range 45 {
		synapse.Put(tokens.Token{Text: fmt.Sprintf("token%02d", n)})
	}
	town.says(manager, "list").has("45 valid tokens:", "token00", "token19", "Page 1 of 3. list valid 2 shows the next.").lacks("token20")
	town.says(manager, "list 2").has("token20", "token39").lacks("token40", "token19")
	town.says(manager, "list valid 3").has("token40", "token44").lacks("Page")
	town.says(manager, "list 4").has("only 3 pages")
	town.says(manager, "list 0").has("don't understand 0")
	town.says(manager, "list 99999999999999999999").has("don't understand")
}

func TestAnEmptyListIsNoEmptyMessage(t *testing.T) {
	town, _ := onSynapse(t)
	for _, command := range []string{"list", "list valid", "list used", "list expired", "list all"} {
		if a := town.says(manager, command); len(a.plain()) < 10 {
			t.Errorf("%s: %q", command, a.plain())
		}
	}
}

func TestShow(t *testing.T) {
	town, synapse := onSynapse(t)
	three := 3
	synapse.Put(tokens.Token{Text: "old", Uses: &three, Completed: 2, Expires: days(town, -3)})
	town.says(inviter, "create token=mine")
	town.store.rows.Made["mine"] = Maker{User: inviter, At: *days(town, -2)}
	mine := town.find(synapse.Tokens(), "mine")
	mine.Pending = 1
	synapse.Put(mine)

	town.says(manager, "show mine `old` mine nothing .. "+strings.Repeat("x", 65)+" ünicode").is(
		"mine is used up:\n" +
			"- for one account: 0 made so far, 0 left\n" +
			"- 1 registration pending: somebody has begun to register and not finished. The place is kept for two days, then it is free again\n" +
			"- expires Tue 8 Dec 2099 05:50 UTC, in 7 days\n" +
			"- made by @inviter:example.com, Sun 29 Nov 2099 05:50 UTC, 2 days ago\n\n" +
			"old has expired:\n" +
			"- for 3 accounts: 2 made so far, 1 left\n" +
			"- expired Sat 28 Nov 2099 05:50 UTC, 3 days ago\n" +
			"- made elsewhere\n\n" +
			"nothing: I know no such token. list all shows those that there are.\n\n" +
			"..: I know no such token. list all shows those that there are.\n\n" +
			strings.Repeat("x", 65) + " can't be a token: those have 1 to 64 letters (a to z), digits and the marks . _ ~ -.\n\n" +
			"ünicode can't be a token: those have 1 to 64 letters (a to z), digits and the marks . _ ~ -.")
	town.says(manager, "show").has("Which token?", "show abcd1234")
}

func TestOddTokensThatExistCanBeShownAndDeleted(t *testing.T) {
	town, synapse := onSynapse(t)
	for _, text := range []string{".", "..", "~", strings.Repeat("x", 64), "--uses=5", "uses=5"} {
		synapse.Put(tokens.Token{Text: text})
		town.says(manager, "show "+text).has(text + " can be used:")
		town.says(manager, "delete "+text).is(text + " is deleted.")
	}
	if left := synapse.Tokens(); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}

func TestInvitersKnowOnlyWhatTheyMade(t *testing.T) {
	town, synapse := onSynapse(t)
	code := town.says(inviter, "create").code()
	synapse.Put(tokens.Token{Text: "elsewhere"})

	for _, command := range []string{"show ", "delete "} {
		for _, text := range []string{code, "elsewhere", "nothing"} {
			town.says(friend, command+text).is(text + ": I know no such token. list all shows those that there are.")
		}
	}
	town.says(inviter, "show "+code).has("can be used", "made by you")
	town.says(inviter, "delete "+code).is(code + " is deleted.")
	if left := synapse.Tokens(); len(left) != 1 {
		t.Errorf("left are %v", left)
	}
}

func TestDeleteAnswersForEachToken(t *testing.T) {
	town, synapse := onSynapse(t)
	synapse.Put(tokens.Token{Text: "one"})
	synapse.Put(tokens.Token{Text: "two", Pending: 1})
	town.says(manager, "delete one two one never ünicode").is("one is deleted.\n" +
		"two is deleted. Somebody was registering with it; if that fails for them, make them a new one.\n" +
		"never: I know no such token. list all shows those that there are.\n" +
		"ünicode can't be a token: those have 1 to 64 letters (a to z), digits and the marks . _ ~ -.")
	town.says(manager, "delete one").has("I know no such token")
	town.says(manager, "delete").has("Which token?")
}

func TestTheServerIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		town := newTown(t, server)
		server.at = func(string, bool) error { return kind(tokens.ErrUnreachable) }
		for _, command := range []string{"list", "show a b", "delete a b", "create token=a", "create"} {
			town.says(manager, command).has("The server doesn't answer", "Please try again")
		}
		if plans := town.store.rows.Plans; len(plans) != 1 {
			t.Errorf("there should be a plan for the bare create only: %v", plans)
		}
		town.says(inviter, "create").has("Please try again")
	})
}

func TestAServerThatComesBackIsWaitedFor(t *testing.T) {
	server := newServer()
	server.tokens["one"] = tokens.Token{Text: "one"}
	town := newTown(t, server)
	server.fail(
		fault{"list", false, kind(tokens.ErrUnreachable)},
		fault{"list", true, kind(tokens.ErrUnknownOutcome)},
		fault{"list", false, kind(tokens.ErrRateLimited)},
	)
	town.says(manager, "list").has("1 valid token")
}
