package config

import (
	"slices"
	"strings"
	"testing"
)

const fineRegistration = `id: registration-bot
url: http://127.0.0.1:29350
as_token: as
hs_token: hs
sender_localpart: _registration-bot
rate_limited: false
namespaces:
  users:
    - exclusive: true
      regex: '^@registration-bot:example\.com$'
`

func parseBoth(t *testing.T, config, registration string) (*Config, *Registration) {
	t.Helper()
	cfg, err := Parse("config.yaml", []byte(config), nil)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := ParseRegistration("registration.yaml", []byte(registration))
	if err != nil {
		t.Fatal(err)
	}
	return cfg, reg
}

func TestARegistrationIsReadBesideWhatTheHomeserverAddsToIt(t *testing.T) {
	cfg, reg := parseBoth(t, fine, fineRegistration+`  rooms: []
  aliases: [{exclusive: false, regex: '#x'}]
receive_ephemeral: true
protocols: [irc]
org.matrix.msc3202: true
io.element.msc4190: true
`)
	want := Registration{
		ID: "registration-bot", URL: "http://127.0.0.1:29350", AsToken: "as", HsToken: "hs", SenderLocalpart: "_registration-bot",
		Namespaces: Namespaces{Users: []Namespace{{Exclusive: true, Regex: `^@registration-bot:example\.com$`}}},
	}
	if reg.ID != want.ID || reg.URL != want.URL || reg.AsToken != want.AsToken || reg.HsToken != want.HsToken ||
		reg.SenderLocalpart != want.SenderLocalpart || reg.RateLimited || !slices.Equal(reg.Namespaces.Users, want.Namespaces.Users) {
		t.Errorf("got %+v, want %+v", reg, want)
	}
	if warnings, err := Check(cfg, reg); err != nil || warnings != nil {
		t.Errorf("Check says %q and %v, want nothing", warnings, err)
	}
}

func TestAWrongRegistrationIsToldWithFileAndLine(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"url missing":         {"url: http://127.0.0.1:29350\n", "", `registration.yaml: url: is missing: without it the homeserver sends nothing; write where it reaches the bot, like http://127.0.0.1:29350`},
		"url null":            {"http://127.0.0.1:29350", "null", `registration.yaml:2: url: is missing: without it the homeserver sends nothing; write where it reaches the bot, like http://127.0.0.1:29350`},
		"url malformed":       {"http://", "", `registration.yaml:2: url: "127.0.0.1:29350" is not a URL like http://127.0.0.1:29350`},
		"no as_token":         {"as_token: as\n", "", `registration.yaml: as_token: is missing: a long random text`},
		"no hs_token":         {"hs_token: hs", "hs_token:", `registration.yaml:4: hs_token: is missing: a long random text`},
		"token is a number":   {"as_token: as", "as_token: 123", `registration.yaml:3: as_token: must be a text: put it in quotes`},
		"no sender":           {"sender_localpart: _registration-bot\n", "", `registration.yaml: sender_localpart: is missing: the first part of a user id that is not the bot's`},
		"bad regex":           {"'^@reg", "'^@(reg", "registration.yaml:10: namespaces.users[0].regex: \"^@(registration-bot:example\\\\.com$\" is not a regular expression: missing closing ): `^@(registration-bot:example\\.com$`"},
		"no regex":            {"      regex: '^@registration-bot:example\\.com$'\n", "", `registration.yaml: namespaces.users[0].regex: is missing`},
		"namespaces no list":  {"users:\n    - exclusive: true\n      regex", "users:\n      regex", `registration.yaml:8: namespaces.users: must be a list: lines that begin with "- "`},
		"namespace is a text": {"- exclusive: true\n      regex:", "-", `registration.yaml:9: namespaces.users[0]: must hold keys and values, one a line`},
		"no YAML":             {"rate_limited: false", "rate_limited: [", `registration.yaml:6: not YAML: did not find expected ',' or ']'`},
		"key twice":           {"rate_limited: false", "as_token: other", `registration.yaml:6: as_token: stands here twice, first in line 3`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(fineRegistration, test.old, test.new, 1)
			_, err := ParseRegistration("registration.yaml", []byte(text))
			expectProblems(t, err, test.want)
		})
	}
}

func TestARegistrationThatDoesNotFitTheConfig(t *testing.T) {
	for name, test := range map[string]struct{ config, registration, want string }{
		"the sender is the bot": {
			fine, strings.Replace(fineRegistration, "_registration-bot", "registration-bot", 1),
			`registration.yaml:5: sender_localpart: must not be the bot: the homeserver answers 500 to /sync for this user; write _registration-bot`,
		},
		"the namespace misses the bot": {
			fine + "bot: {username: reg.bot}", fineRegistration,
			`registration.yaml:8: namespaces.users: no regex matches the bot @reg.bot:example.com: write '^@reg\.bot:example\.com$' with exclusive: true`,
		},
		"the regex matches only in the middle": {
			fine, strings.Replace(fineRegistration, "^@reg", "reg", 1),
			`registration.yaml:8: namespaces.users: no regex matches the bot @registration-bot:example.com: write '^@registration-bot:example\.com$' with exclusive: true`,
		},
		"no namespace": {
			fine, fineRegistration[:strings.Index(fineRegistration, "namespaces")],
			`registration.yaml: namespaces.users: no regex matches the bot @registration-bot:example.com: write '^@registration-bot:example\.com$' with exclusive: true`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, reg := parseBoth(t, test.config, test.registration)
			_, err := Check(cfg, reg)
			expectProblems(t, err, test.want)
		})
	}
}

func TestARegistrationThatIsOdd(t *testing.T) {
	for name, test := range map[string]struct{ old, new, want string }{
		"rate limited":      {"rate_limited: false\n", "", `registration.yaml: rate_limited: is not false: the homeserver holds the bot to the limits of people (10 messages, then one in 5 s); write rate_limited: false`},
		"rate limited, too": {"rate_limited: false", "rate_limited: true", `registration.yaml:6: rate_limited: is not false: the homeserver holds the bot to the limits of people (10 messages, then one in 5 s); write rate_limited: false`},
		"exclusive missing": {"exclusive: true\n      ", "", "registration.yaml:9: namespaces.users[0]: has no `exclusive: true`: somebody else could register as @registration-bot:example.com"},
		"other port":        {"29350", "29351", `registration.yaml:2: url: http://127.0.0.1:29351 looks different from appservice.listen (127.0.0.1:29350): fine if a proxy or a container stands between`},
		"other host":        {"127.0.0.1", "bot", `registration.yaml:2: url: http://bot:29350 looks different from appservice.listen (127.0.0.1:29350): fine if a proxy or a container stands between`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, reg := parseBoth(t, fine, strings.Replace(fineRegistration, test.old, test.new, 1))
			warnings, err := Check(cfg, reg)
			if err != nil {
				t.Fatal(err)
			}
			if len(warnings) != 1 || warnings[0] != test.want {
				t.Errorf("warnings:\n%s\nwant:\n%s", strings.Join(warnings, "\n"), test.want)
			}
		})
	}
}

func TestAnExclusiveEntryBesideAnotherIsEnough(t *testing.T) {
	cfg, reg := parseBoth(t, fine, strings.Replace(fineRegistration, "  users:\n", "  users:\n    - regex: '@.*'\n", 1))
	if warnings, err := Check(cfg, reg); err != nil || warnings != nil {
		t.Errorf("Check says %q and %v, want nothing", warnings, err)
	}
}

func TestAURLThatLeadsToTheListener(t *testing.T) {
	for _, test := range []struct {
		url, listen string
		elsewhere   bool
	}{
		{"http://127.0.0.1:29350", "127.0.0.1:29350", false},
		{"http://localhost:29350/", "127.0.0.1:29350", false},
		{"http://[::1]:29350", "[::1]:29350", false},
		{"http://bot:29350", ":29350", false},
		{"http://bot:29350", "0.0.0.0:29350", false},
		{"http://bot:29350", "10.0.0.2:29350", false},
		{"http://bot", "[::]:80", false},
		{"http://10.0.0.3:29350", "10.0.0.2:29350", true},
		{"http://bot:29350", "127.0.0.1:29350", true},
		{"http://bot", ":29350", true},
		{"https://bot:29350", ":29350", true},
	} {
		reg := Registration{URL: test.url}
		if got := reg.elsewhere(test.listen); got != test.elsewhere {
			t.Errorf("url %s and listen %s: different is %t, want %t", test.url, test.listen, got, test.elsewhere)
		}
	}
}

func TestAnAbsentRegistrationIsAnError(t *testing.T) {
	_, err := LoadRegistration("/nowhere/registration.yaml")
	expectProblems(t, err, "/nowhere/registration.yaml: can't be read (`init` writes it; the bot and the homeserver both need it): open /nowhere/registration.yaml: no such file or directory")
}
