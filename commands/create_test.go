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
	for _, want := range []string{"example.com", "invite code: " + code, "Tuesday, 8 December 2099, 05:50 UTC"} {
		if !strings.Contains(forward.Plain, want) {
			t.Errorf("the message to forward lacks %q:\n%s", want, forward.Plain)
		}
	}
	if strings.Contains(strings.ReplaceAll(strings.ToLower(forward.Plain), "?token=", ""), "token") || forward.HTML != "" {
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
		{"create --uses 5 --expires 14d", 5, 14 * 24 * time.Hour, "It is for 5 people."},
		{"create —uses 5 –expires=2w", 5, 14 * 24 * time.Hour, "in 14 days"},
		{"create expires=“2 weeks”", 1, 14 * 24 * time.Hour, "in 14 days"},
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
		"create color=x":                             "no option color",
		"create length=7":                            "a whole number from 8 to 64, as in length=36",
		"create length=65":                           "a whole number from 8 to 64",
		"create length=long":                         "long is not what length takes",
		"create count=0":                             "a whole number from 1 to 50, as in count=25",
		"create count=51":                            "a whole number from 1 to 50",
		"create count=2 token=abc":                   "token and count don't go together",
		"create words token=abc":                     "words and token don't go together",
		"create words length=20":                     "words and length don't go together",
		"create token=abc length=20":                 "token and length don't go together",
		"create words please":                        "I don't understand please here",
		"create for=" + strings.Repeat("x", 61):      "for: it takes 60 characters, and yours has 61",
		"create note=" + strings.Repeat("ü", 201):    "note: it takes 200 characters, and yours has 201",
		`create note=""`:                             "needs a value",
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

	for range 12 {
		town.says(manager, "create uses=10 expires=30d").code()
	}
	if want := []string{
		"@inviter:example.com create refused",
		"@inviter:example.com create refused",
	}; strings.Join(town.audited()[:2], "\n") != strings.Join(want, "\n") {
		t.Errorf("the audit begins with %q", town.audited()[:2])
	}
}

func TestATokenWithoutEndOrLimitIsConfirmedFirst(t *testing.T) {
	for command, test := range map[string]struct {
		asks  string
		count int
	}{
		"create expires=never":                        {"That token never expires", 1},
		"create uses=unlimited":                       {"any number of people can register until it expires", 1},
		"create uses=Unlimited expires=NEVER for=Ann": {"any number of people can register, for ever", 1},
		"create uses=5 expires=never count=3":         {"Those 3 tokens never expire", 3},
		"create uses=unlimited expires=never words":   {"for ever", 1},
		"create token=chess-club uses=unlimited":      {"until it expires", 1},
	} {
		for name, confirm := range map[string]func(*town, answer) answer{
			"typed":           func(town *town, _ answer) answer { return town.says(manager, "confirm") },
			"by reaction":     func(town *town, q answer) answer { return town.reacts(manager, q, "confirm") },
			"after a restart": func(town *town, _ answer) answer { town.restart(); return town.says(manager, "confirm") },
		} {
			t.Run(command+" "+name, func(t *testing.T) {
				town, synapse := onSynapse(t)
				question := town.says(manager, command).has(test.asks, "within five minutes")
				if len(synapse.Requests()) > 0 {
					t.Error("it did not wait for the answer")
				}
				if a := confirm(town, question); len(a.Texts) != 2 || !a.Texts[1].Forward {
					t.Errorf("the answer is\n%s", a.plain())
				}
				made := synapse.Tokens()
				if len(made) != test.count {
					t.Fatalf("the server has %+v", made)
				}
				for _, token := range made {
					if (token.Expires == nil) != strings.Contains(strings.ToLower(command), "never") || (token.Uses == nil) != strings.Contains(strings.ToLower(command), "unlimited") {
						t.Errorf("the server has %+v", token)
					}
				}
				if strings.Contains(command, "for=Ann") && town.store.rows.Made[made[0].Text].Recipient != "Ann" {
					t.Error("nobody knows whom it is for")
				}
				town.says(manager, "confirm").has("no open question")
			})
		}
	}
	t.Run("cancelled", func(t *testing.T) {
		town, synapse := onSynapse(t)
		town.says(manager, "create expires=never")
		town.says(manager, "cancel").has("nothing was done")
		town.says(manager, "confirm").has("no open question")
		if made := synapse.Tokens(); len(made) != 0 {
			t.Errorf("the server has %+v", made)
		}
	})
	t.Run("beyond the limits", func(t *testing.T) {
		town, _ := onSynapse(t)
		a := town.says(inviter, "create expires=never").has("at most 7 days")
		if a.Question != nil {
			t.Error("it asks for what it will refuse")
		}
	})
	t.Run("where somebody came in since", func(t *testing.T) {
		town, synapse := onSynapse(t)
		town.says(manager, "create expires=never")
		m := town.message(manager, "!reg confirm")
		m.Direct, m.Encrypted = false, false
		town.send(m).has("write to me directly")
		if made := synapse.Tokens(); len(made) != 0 {
			t.Errorf("the server has %+v", made)
		}
	})
}

func TestALimitHoldsForWhatIsConfirmed(t *testing.T) {
	town, _ := onSynapse(t)
	town.settings.Limits[access.Inviter] = Limits{Open: 1}
	town.says(inviter, "create expires=never")
	town.says(friend, "create").code()
	town.says(inviter, "confirm").code()
	town.says(inviter, "create expires=never").has("never expires")
	town.says(inviter, "confirm").has("You have one token open")
}

func TestEasyWords(t *testing.T) {
	town, synapse := onSynapse(t)
	for _, command := range []string{"create words", "create Words", "create token=words"} {
		code := town.says(manager, command).code()
		if n := len(strings.Split(code, "-")); n != 5 {
			t.Errorf("%s gives %q", command, code)
		}
	}
	if n := len(synapse.Tokens()); n != 3 {
		t.Errorf("the server has %d tokens", n)
	}
}

func TestTheLengthOfADrawnText(t *testing.T) {
	town, _ := onSynapse(t)
	for option, want := range map[string]int{"length=8": 8, "length=64": 64, "": 16} {
		if code := town.says(manager, "create "+option).code(); len(code) != want {
			t.Errorf("%s gives %q", option, code)
		}
	}
}

func TestWhomATokenIsForAndWhy(t *testing.T) {
	town, _ := onSynapse(t)
	a := town.says(manager, "create token=abc for=“Grandma” note=\"the chess\x00\nclub\"")
	if want := "I made the token abc:\n- for one account\n- expires Tue 8 Dec 2099 05:50 UTC, in 7 days\n- for Grandma\n" +
		"- note: the chess club\nForward the next message to Grandma."; a.Texts[0].Plain != want {
		t.Errorf("the facts are\n%s\nand should be\n%s", a.Texts[0].Plain, want)
	}
	if forward := a.Texts[1].Plain; strings.Contains(forward, "Grandma") || strings.Contains(forward, "chess") {
		t.Errorf("what the maker wrote down is in the message to forward:\n%s", forward)
	}
	if maker := town.store.rows.Made["abc"]; maker.Recipient != "Grandma" || maker.Note != "the chess club" || maker.User != manager {
		t.Errorf("the maker is %+v", maker)
	}
}

func TestSeveralTokensAtOnce(t *testing.T) {
	town, synapse := onSynapse(t)
	a := town.says(manager, "create count=3 uses=2 note=club")
	made := synapse.Tokens()
	if len(made) != 3 || len(a.Texts) != 2 || !a.Texts[1].Forward {
		t.Fatalf("the server has %+v, the answer is\n%s", made, a.plain())
	}
	for _, token := range made {
		if *token.Uses != 2 || town.store.rows.Made[token.Text].Note != "club" {
			t.Errorf("the server has %+v", token)
		}
		a.has("- " + token.Text + "\n")
	}
	a.has("I made 3 tokens:", "Each of them is:\n- for 2 accounts\n- expires Tue 8 Dec 2099 05:50 UTC, in 7 days\n- note: club\n", "(your code)")
	if forward := a.Texts[1].Plain; strings.Contains(forward, made[0].Text) || !strings.Contains(forward, "invite code: (your code)") {
		t.Errorf("the message to forward is\n%s", forward)
	}
	if audit := town.audited(); len(audit) != 3 {
		t.Errorf("the audit is %q", audit)
	}

	town.says(inviter, "create count=3").has("I made 3 tokens")
	town.says(inviter, "create count=3").has("Your role lets you have 5 tokens open, so you can make only 2 more now")
	town.says(inviter, "create count=2").has("I made 2 tokens")
	town.says(inviter, "create count=2").has("You have 5 tokens open")
	if n := len(synapse.Tokens()); n != 8 {
		t.Errorf("the server has %d tokens", n)
	}
	town.says(manager, "create count=1").code()
	town.says(manager, "create count=50").has("I made 50 tokens")
}

func TestSomeOfSeveralTokensFail(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	n := 0
	server.at = func(request string, after bool) error {
		if request == "create" && !after {
			if n++; n > 2 {
				return kind(tokens.ErrRefused)
			}
		}
		return nil
	}
	town.says(manager, "create count=5").has("I made 2 tokens", "3 tokens could not be made. The server refused", "invite code: (your code)")
	if made := town.store.rows.Made; len(made) != 2 {
		t.Errorf("the makers are %v", made)
	}
	town.says(manager, "create count=2").is("2 tokens could not be made. " + town.says(manager, "create").plain())
}

func TestTheTokensOfADayAreLimited(t *testing.T) {
	town, _ := onSynapse(t)
	town.settings.Limits[access.Inviter] = Limits{PerDay: 3}
	first := town.says(inviter, "create").code()
	town.now = town.now.Add(2 * time.Hour)
	town.says(inviter, "create count=3").has("3 tokens within 24 hours (2 left now)", "what you asked Wed 2 Dec 2099 05:50 UTC, in 22 hours")
	town.says(inviter, "create count=4").has("3 tokens within 24 hours. Please ask for no more at once.")
	town.says(inviter, "create count=2").has("I made 2 tokens")
	town.says(inviter, "create").has("(0 left now)", "Wed 2 Dec 2099 05:50 UTC")
	town.says(friend, "create").code()

	// What has been given away is given away, even if it is deleted then.
	town.says(inviter, "delete "+first).has("is deleted")
	town.says(inviter, "create").has("(0 left now)")
	town.restart()
	town.says(inviter, "create count=2").has("Wed 2 Dec 2099 07:50 UTC, in 24 hours")

	town.now = town.now.Add(22*time.Hour + time.Second)
	town.says(inviter, "create count=2").has("(1 left now)")
	town.says(inviter, "create").code()
	town.says(inviter, "create").has("(0 left now)")

	town.settings.Limits[access.Inviter] = Limits{PerDay: 1}
	town.says(friend, "create").has("There is room for the next Wed 2 Dec 2099 07:50 UTC")
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
	town.settings.Limits[access.Inviter] = Limits{Open: 1, PerDay: 1}
	server.fail(fault{"create", false, kind(tokens.ErrRefused)})
	town.says(inviter, "create").has("refused")
	town.says(inviter, "create").code()
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
