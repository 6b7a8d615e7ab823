package commands

import (
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/access"
	"matrix-registration-bot/tokens"
)

func TestCreate(t *testing.T) {
	town, synapse := onSynapse(t)
	a := town.says(inviter, "create")
	all := synapse.Tokens()
	if len(all) != 1 || len(all[0].Text) != 16 || *all[0].Uses != 1 || !all[0].Expires.Equal(town.now.Add(7*24*time.Hour)) {
		t.Fatalf("the server has %+v", all)
	}
	if len(a.Texts) != 2 || a.Texts[0].Forward || !a.Texts[1].Forward {
		t.Fatalf("there should be a message for the inviter and one to forward:\n%s", a.plain())
	}
	code := all[0].Text
	if want := "I made the token " + code + ":\n- for one account\n- expires Tue 8 Dec 2099 05:50 UTC, in 7 days\n" +
		"Forward the next message to the person whom you invite."; a.Texts[0].Plain != want {
		t.Errorf("the facts are\n%s\nand should be\n%s", a.Texts[0].Plain, want)
	}
	if !strings.Contains(a.Texts[0].HTML, "<code>"+code+"</code>") {
		t.Errorf("the token can't be copied from %s", a.Texts[0].HTML)
	}
	forward := a.Texts[1]
	for _, want := range []string{"example.com", "invite code: " + code, "Tue 8 Dec 2099 05:50 UTC"} {
		if !strings.Contains(forward.Plain, want) {
			t.Errorf("the message to forward lacks %q:\n%s", want, forward.Plain)
		}
	}
	if strings.Contains(strings.ToLower(forward.Plain), "token") || forward.HTML != "" {
		t.Errorf("the message to forward is for people outside, and plain:\n%s\n%s", forward.Plain, forward.HTML)
	}
}

func TestCreateTakesOptions(t *testing.T) {
	for _, test := range []struct {
		command string
		uses    int           // 0: unlimited
		lasts   time.Duration // 0: for ever
		says    string
	}{
		{"create", 1, 7 * 24 * time.Hour, "in 7 days"},
		{"create uses=5", 5, 7 * 24 * time.Hour, "for 5 accounts"},
		{"create USES=5 Expires=2h", 5, 2 * time.Hour, "in 2 hours"},
		{"create --uses 5 --expires 14d", 5, 14 * 24 * time.Hour, "It works for 5 accounts."},
		{"create —uses 5 –expires=2w", 5, 14 * 24 * time.Hour, "in 14 days"},
		{"create expires=“2 weeks”", 1, 14 * 24 * time.Hour, "in 14 days"},
		{"create uses=unlimited expires=never", 0, 0, "never expires"},
		{"create expires=2099-12-24", 1, 23*24*time.Hour + 18*time.Hour + 9*time.Minute, "Thu 24 Dec 2099 23:59 UTC"},
		{`create expires="2099-12-24 18:00"`, 1, 23*24*time.Hour + 12*time.Hour + 10*time.Minute, "Thu 24 Dec 2099 18:00 UTC"},
	} {
		town, synapse := onSynapse(t)
		town.says(manager, test.command).has(test.says)
		token := synapse.Tokens()[0]
		if (token.Uses == nil) != (test.uses == 0) || token.Uses != nil && *token.Uses != test.uses {
			t.Errorf("%s makes a token with %v uses", test.command, token.Uses)
		}
		if (token.Expires == nil) != (test.lasts == 0) || token.Expires != nil && !token.Expires.Equal(town.now.Add(test.lasts)) {
			t.Errorf("%s makes a token until %v", test.command, token.Expires)
		}
	}
}

func TestCreateReadsDatesInTheConfiguredZone(t *testing.T) {
	town, synapse := onSynapse(t)
	town.settings.Zone = time.FixedZone("CET", 3600)
	town.says(manager, `create expires="2099-12-24 18:00"`).has("Thu 24 Dec 2099 18:00 CET")
	if got, want := *synapse.Tokens()[0].Expires, time.Date(2099, 12, 24, 17, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("the token ends %v instead of %v", got, want)
	}
}

func TestCreateExplainsBadOptions(t *testing.T) {
	town, synapse := onSynapse(t)
	for command, says := range map[string]string{
		"create 5":                                   "uses=5 expires=14d",
		"create uses=0":                              "no number of uses",
		"create uses=-1":                             "no number of uses",
		"create uses=1e9":                            "no number of uses",
		"create uses=99999999999999999999":           "no number of uses",
		"create uses=":                               "needs a value",
		"create --uses":                              "needs a value",
		"create uses=1 uses=2":                       "twice",
		"create note=x":                              "no option note",
		"create expires=14":                          "neither a length of time nor a date",
		"create expires=0d":                          "neither a length of time nor a date",
		"create expires=-1d":                         "neither a length of time nor a date",
		"create expires=2026-02-30":                  "neither a length of time nor a date",
		"create expires=2020-01-01":                  "over already",
		"create token=ä":                             "can't be a token",
		"create token=a/b":                           "can't be a token",
		"create token=" + strings.Repeat("x", 65):    "can't be a token",
		"create token=a=b":                           "can't be a token",
		`create token="two words"`:                   "can't be a token",
		"create uses=1000001":                        "at most 1000000",
		"create expires=99999999999999999999999999d": "neither a length of time nor a date",
	} {
		town.says(manager, command).has(says)
	}
	if requests := synapse.Requests(); len(requests) > 0 {
		t.Errorf("the server was asked although nothing could come of it: %v", requests)
	}
}

func TestCreateWithATextOfOnesOwn(t *testing.T) {
	town, synapse := onSynapse(t)
	for _, text := range []string{"chess-club", ".", "..", "~", strings.Repeat("x", 64)} {
		if code := town.says(manager, "create token="+text).code(); code != text {
			t.Errorf("the code is %q instead of %q", code, text)
		}
		town.says(admin, "create token="+text).has("there is such a token already")
	}
	if n := len(synapse.Tokens()); n != 5 {
		t.Errorf("the server has %d tokens", n)
	}
}

func TestInvitersHaveLimits(t *testing.T) {
	town, synapse := onSynapse(t)
	town.says(inviter, "create uses=2").has("for one account only")
	town.says(inviter, "create uses=unlimited").has("for one account only")
	town.says(inviter, "create expires=8d").has("at most 7 days")
	town.says(inviter, "create expires=never").has("at most 7 days")

	first := town.says(inviter, "create expires=1d").code()
	for range 4 {
		town.says(inviter, "create expires=7d").code()
	}
	town.says(inviter, "create").has("You have 5 tokens open", "the first ends Wed 2 Dec 2099 05:50 UTC, in 24 hours")
	town.says(friend, "create").code()

	// A place gets free when a token is used, deleted or expired.
	token := town.find(synapse.Tokens(), first)
	token.Completed = 1
	synapse.Put(token)
	second := town.says(inviter, "create").code()
	town.says(inviter, "create").has("You have 5 tokens open")
	town.says(inviter, "delete "+second)
	town.says(inviter, "create").code()
	town.now = town.now.Add(8 * 24 * time.Hour)
	town.says(inviter, "create").code()

	for range 10 {
		town.says(manager, "create uses=10 expires=never").code()
	}
	if want := []string{
		"@inviter:example.com create refused",
		"@inviter:example.com create refused",
	}; strings.Join(town.audited()[:2], "\n") != strings.Join(want, "\n") {
		t.Errorf("the audit begins with %q", town.audited()[:2])
	}
}

func TestLimitsNarrowWhatABareCreateMakes(t *testing.T) {
	town, synapse := onSynapse(t)
	town.settings.Create = CreateDefaults{Uses: 10, Expires: 30 * 24 * time.Hour, Length: 8}
	town.says(inviter, "create")
	token := synapse.Tokens()[0]
	if *token.Uses != 1 || !token.Expires.Equal(town.now.Add(7*24*time.Hour)) || len(token.Text) != 8 {
		t.Errorf("the token is %+v", token)
	}
}

func TestAFailedCreateTakesNoPlace(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	town.settings.Limits[access.Inviter] = Limits{Open: 1}
	server.fail(fault{"create", false, kind(tokens.ErrRefused)})
	town.says(inviter, "create").has("refused")
	town.says(inviter, "create").code()
}

func TestTheMessageToForwardIsTheAdmins(t *testing.T) {
	town, _ := onSynapse(t)
	town.settings.Messages = map[string]string{"en": "Join {server} ({address}) with {code} <now>.\nUntil {until}!\nFor {uses}.\n"}

	const begin = "Join example.com (https://matrix.example.com) with "
	for command, want := range map[string]string{
		"create token=abc":                              begin + "abc <now>.\nUntil Tue 8 Dec 2099 05:50 UTC!\nFor 1.",
		"create token=def expires=never":                begin + "def <now>.\nFor 1.",
		"create token=ghi uses=unlimited expires=never": begin + "ghi <now>.",
	} {
		if got := town.says(manager, command).Texts[1].Plain; got != want {
			t.Errorf("after %s the message to forward is\n%s\nand should be\n%s", command, got, want)
		}
	}
}

// find returns the token with this text.
func (t *town) find(list []tokens.Token, text string) tokens.Token {
	t.t.Helper()
	for _, token := range list {
		if token.Text == text {
			return token
		}
	}
	t.t.Fatalf("the server has no token %q", text)
	return tokens.Token{}
}
