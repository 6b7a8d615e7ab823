package commands

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

// shelf is a town with tokens of all sorts.
func shelf(t *testing.T) (*town, *tokenstest.Synapse) {
	t.Helper()
	town, synapse := onSynapse(t)
	one, nine := 1, 9
	for n, token := range []struct {
		tokens.Token
		maker           id.UserID
		recipient, note string
	}{
		{tokens.Token{Text: "anna", Uses: &one, Expires: days(town, 5)}, inviter, "Anna", "Chess club"},
		{tokens.Token{Text: "ben", Uses: &nine, Expires: days(town, 2)}, inviter, "", "the CHESS open"},
		{tokens.Token{Text: "clara", Expires: days(town, 9)}, manager, "Clara", ""},
		{tokens.Token{Text: "dora", Uses: &one, Completed: 1, Expires: days(town, 1)}, inviter, "Dora", "chess"},
		{tokens.Token{Text: "emil", Uses: &one, Expires: days(town, -1)}, friend, "", "Müller"},
		{tokens.Token{Text: "chessboard"}, "", "", ""},
	} {
		synapse.Put(token.Token)
		if token.maker != "" {
			town.store.rows.Made[token.Text] = Maker{
				User: token.maker, At: town.now.Add(time.Duration(n) * time.Minute), Recipient: token.recipient, Note: token.note,
			}
		}
	}
	return town, synapse
}

var listedToken = regexp.MustCompile(`(?m)^- (\S+) ·`)

// lists checks which tokens are shown, and in which order.
func (t *town) lists(who id.UserID, command, want string) answer {
	t.t.Helper()
	a := t.says(who, command)
	var got []string
	for _, line := range listedToken.FindAllStringSubmatch(a.plain(), -1) {
		got = append(got, line[1])
	}
	if strings.Join(got, " ") != want {
		t.t.Errorf("%s: %s lists %q instead of %q:\n%s", who, command, strings.Join(got, " "), want, a.plain())
	}
	return a
}

func TestListFilters(t *testing.T) {
	town, _ := shelf(t)
	for command, want := range map[string]string{
		"list":                                      "ben anna clara chessboard",
		"list VALID":                                "ben anna clara chessboard",
		"list used":                                 "dora",
		"list expired":                              "emil",
		"list all":                                  "emil dora ben anna clara chessboard",
		"list mine":                                 "clara",
		"list mine all":                             "clara",
		"list by @inviter:example.com":              "ben anna",
		"list all by @inviter:example.com":          "dora ben anna",
		"list by=@inviter:example.com used":         "dora",
		"list by @friend:example.com":               "",
		"list by @friend:example.com expired":       "emil",
		"list note chess":                           "ben anna chessboard",
		"list note chess club":                      "anna",
		"list note=“chess club”":                    "anna",
		"list --note chess all":                     "dora ben anna chessboard",
		"list all note müLLER":                      "emil",
		"list note clara":                           "clara",
		"list note nothing":                         "",
		"list by @inviter:example.com note open":    "ben",
		"list sort=newest all":                      "emil dora clara ben anna chessboard",
		"list sort=token":                           "anna ben chessboard clara",
		"list sort=uses":                            "anna ben chessboard clara",
		"list sort=Expires":                         "ben anna clara chessboard",
		"list all sort=token 1":                     "anna ben chessboard clara dora emil",
		"list —sort=token by @inviter:example.com ": "anna ben",
	} {
		town.lists(manager, command, want)
	}
}

func TestInvitersFilterTheirOwn(t *testing.T) {
	town, _ := shelf(t)
	for command, want := range map[string]string{
		"list":                         "ben anna",
		"list mine":                    "ben anna",
		"list all":                     "dora ben anna",
		"list by @manager:example.com": "",
		"list note clara":              "",
		"list all note chess":          "dora ben anna",
		"list sort=newest":             "ben anna",
	} {
		town.lists(inviter, command, want).has("Only tokens that you made are shown.")
	}
}

func TestListSaysWhatItDoesNotUnderstand(t *testing.T) {
	town, synapse := onSynapse(t)
	for command, says := range map[string]string{
		"list valdi":                            "I don't understand valdi here: write list, then one of valid, used, expired, all",
		"list revoked":                          "I don't understand revoked here",
		"list 0":                                "I don't understand 0 here",
		"list -1":                               "I don't understand -1 here",
		"list by":                               "I don't understand by here",
		"list by anna":                          "anna is no user id: write list by @anna:example.org",
		"list by=example.org":                   "is no user id",
		"list note":                             "I don't understand note here",
		"list note=":                            "needs a value",
		"list sort=name":                        "I can't sort by name: write sort= and one of expires, newest, uses, token.",
		"list order=token":                      "list has no option order",
		"list sort=uses sort=uses":              "twice",
		"list note=" + strings.Repeat("x", 201): "it takes 200 characters",
	} {
		town.says(manager, command).has(says)
	}
	if requests := synapse.Requests(); len(requests) > 0 {
		t.Errorf("the server was asked although nothing could come of it: %v", requests)
	}
	town.says(manager, "list by @anna:example.org").is("No token fits. list all shows all that there are.")
}

func TestListShowsWhatWasWrittenDown(t *testing.T) {
	town, _ := shelf(t)
	town.says(manager, "list note anna").is("1 valid token:\n" +
		"- anna · 1 use left · expires Sun 6 Dec 2099 05:50 UTC, in 5 days · for Anna · note: Chess club · made by @inviter:example.com")
	town.says(manager, "update anna note="+strings.Repeat("x", 100))
	town.says(manager, "list note anna").has("note: " + strings.Repeat("x", 39) + "… ·")
}

func TestTheNextPageOfAFilteredList(t *testing.T) {
	town, synapse := onSynapse(t)
	for n := range 45 {
		text := fmt.Sprintf("token%02d", n)
		synapse.Put(tokens.Token{Text: text})
		town.store.rows.Made[text] = Maker{User: inviter, Note: "the chess club", At: town.now}
	}
	next := `list valid by @inviter:example.com sort=token note="chess club" 2`
	town.says(manager, "list sort=token by @inviter:example.com note chess club").has("token00", "Page 1 of 3. "+next+" shows the next.")
	town.says(manager, next).has("token20", "token39", "Page 2 of 3").lacks("token19", "token40")
	town.says(manager, "list 4 note chess").has("only 3 pages")
}

func TestAPageOfLongNotesFitsIntoMessages(t *testing.T) {
	town, synapse := onSynapse(t)
	for n := range 20 {
		text := fmt.Sprintf("%02d%s", n, strings.Repeat("~", 62))
		synapse.Put(tokens.Token{Text: text, Expires: days(town, 1)})
		town.store.rows.Made[text] = Maker{
			User: id.UserID("@" + strings.Repeat("x", 240) + ":example.com"), Recipient: strings.Repeat("<", 60), Note: strings.Repeat("<", 200),
		}
	}
	for _, text := range town.says(manager, "list").has("20 valid tokens:", "- 19~").Texts {
		if size := weigh(text.Text); size > 30<<10 {
			t.Errorf("a message has %d bytes", size)
		}
	}
}

func TestTenThousandTokensAreListed(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	for n := range 10_000 {
		text := fmt.Sprintf("token%05d", n)
		server.tokens[text] = tokens.Token{Text: text}
		town.store.rows.Made[text] = Maker{User: inviter, Note: fmt.Sprint("number ", n), At: town.now}
	}
	town.says(manager, "list").has("10000 valid tokens", "Page 1 of 500")
	town.says(manager, "list 500").has("token09999")
	town.lists(manager, "list note number 4711", "token04711")
	town.says(inviter, "list sort=newest").has("10000 valid tokens")
}

func TestShowNamesWhoRegistered(t *testing.T) {
	town, _ := shelf(t)
	town.store.rows.Users["anna"] = []User{
		{ID: "@anna:example.com", At: town.now.Add(-2 * time.Hour), Certain: true},
		{ID: "@other:example.com", At: town.now.Add(-time.Hour)},
	}
	town.says(inviter, "show anna").has("- @anna:example.com registered with it, Tue 1 Dec 2099 03:50 UTC, 2 hours ago\n",
		"- probably @other:example.com registered with it, Tue 1 Dec 2099 04:50 UTC, 60 minutes ago: the server does not say it")
	town.says(inviter, "show ben").lacks("registered")
	town.says(friend, "show anna").is("anna: I know no such token. list all shows those that there are.")

	var many []User
	for n := range 30 {
		many = append(many, User{ID: id.UserID(fmt.Sprintf("@user%02d:example.com", n)), At: town.now, Certain: true})
	}
	town.store.rows.Users["anna"] = many
	town.says(inviter, "show anna").has("@user19:", "and 10 more").lacks("@user20:")
}
