package oldbot_test

import (
	"errors"
	"strings"
	"testing"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/oldbot"
)

func TestEntriesKeepTheirMeaning(t *testing.T) {
	for old, want := range map[string]struct {
		pattern string
		in, out []id.UserID
	}{
		// What people wrote after `allow`.
		"@anna:example.org":            {pattern: "@anna:example.org", out: []id.UserID{"@anna:exampleXorg", "@annaa:example.org"}},
		"@anna.b-c_d=e/f:example.org":  {pattern: "@anna.b-c_d=e/f:example.org"},
		"@Anna:example.org:8448":       {pattern: "@Anna:example.org:8448"},
		`@anna:example\.org`:           {pattern: "@anna:example.org"},
		"@bot.registration:matrix.org": {pattern: "@bot.registration:matrix.org"},
		// The example of the old bot's library.
		`@admin.*:example\.org`: {
			pattern: `/@admin.*:example\.org/`,
			in:      []id.UserID{"@admin:example.org", "@admin3:example.org"},
			out:     []id.UserID{"@admin:exampleXorg", "@anadmin:example.org"},
		},
		"@.+:example.org": {
			pattern: "/@.+:example.org/",
			in:      []id.UserID{"@anna:example.org", "@anna:examplesorg"}, // as before
		},
		`^@(anna|ben):example\.org$`: {
			pattern: `/^@(anna|ben):example\.org$/`, in: []id.UserID{"@ben:example.org"}, out: []id.UserID{"@carl:example.org"},
		},
		// An alternative that is shorter doesn't hide the one that fits.
		`@a:x|@a:x\.org`: {pattern: `/@a:x|@a:x\.org/`, in: []id.UserID{"@a:x", "@a:x.org"}, out: []id.UserID{"@a:x.or"}},
		`(?i)@ANNA:.*`:   {pattern: `/(?i)@ANNA:.*/`, in: []id.UserID{"@anna:example.org"}},
	} {
		entry, err := oldbot.Translate(old)
		if err != nil || entry.Pattern.String() != want.pattern || entry.Damaged || entry.Literal {
			t.Errorf("%s became %s (%+v, %v), not %s", old, entry.Pattern, entry, err, want.pattern)
			continue
		}
		for _, user := range want.in {
			if !entry.Pattern.Matches(user) {
				t.Errorf("%s lets %s in no more", old, user)
			}
		}
		for _, user := range want.out {
			if entry.Pattern.Matches(user) {
				t.Errorf("%s lets %s in", old, user)
			}
		}
	}
}

func TestWhatHasNoMeaningHereIsLeftOutAndSaid(t *testing.T) {
	for old, want := range map[string]error{
		"":                                 oldbot.ErrNobody,
		"anna":                             oldbot.ErrNobody,
		"@anna":                            oldbot.ErrNobody,
		`example\.org`:                     oldbot.ErrNobody,
		"anna.*":                           oldbot.ErrNobody,
		".*":                               oldbot.ErrEveryone,
		"(@.*)?":                           oldbot.ErrEveryone,
		`@(?!evil).*:example\.org`:         oldbot.ErrPython,
		`@(.)\1:example\.org`:              oldbot.ErrPython,
		`@a{,3}:example\.org`:              oldbot.ErrPython,
		`@[[:alpha:]]:example\.org`:        oldbot.ErrPython,
		`@anna:example\.org\Z`:             oldbot.ErrPython,
		"@(anna:example.org":               oldbot.ErrPython,
		"@.*: example.org":                 oldbot.ErrUnfit,
		"@.*" + strings.Repeat("x", 300):   oldbot.ErrUnfit,
		"re.compile('@aaaaaaaaaaaaaaaaaa)": oldbot.ErrCutOff,
		"re.compile(":                      oldbot.ErrCutOff,
		"re.compile()":                     oldbot.ErrCutOff,
		"re.compile(')":                    oldbot.ErrCutOff,
		"re.compile('@anna:example.org'":   oldbot.ErrCutOff,
	} {
		if entry, err := oldbot.Translate(old); !errors.Is(err, want) {
			t.Errorf("%s became %s (%v), want: %v", old, entry.Pattern, err, want)
		}
	}
}

func TestDamagedEntriesAreMended(t *testing.T) {
	for old, want := range map[string]string{
		`re.compile('@anna:example.org')`:                    "@anna:example.org",
		`re.compile('@.*:friends\\.org')`:                    `/@.*:friends\.org/`,
		`re.compile('@.*:friends\.org')`:                     `/@.*:friends\.org/`, // when the file was TOML
		`re.compile("@o'neil.*:example.org")`:                "/@o'neil.*:example.org/",
		`re.compile("re.compile('@.*:friends\\.org')")`:      `/@.*:friends\.org/`,
		`re.compile('re.compile("@o\'neil.*:friends.org")')`: "/@o'neil.*:friends.org/",
	} {
		entry, err := oldbot.Translate(old)
		if err != nil || !entry.Damaged || entry.Pattern.String() != want {
			t.Errorf("%s became %s (%+v, %v), not %s", old, entry.Pattern, entry, err, want)
		}
	}
}

func TestAUserIDWithAPlusIsMeantAsOne(t *testing.T) {
	entry, err := oldbot.Translate("@a+b:example.org")
	if err != nil || !entry.Literal || !entry.Pattern.Matches("@a+b:example.org") || entry.Pattern.Matches("@aab:example.org") {
		t.Errorf("it became %+v, %v", entry, err)
	}
}

func FuzzTranslate(f *testing.F) {
	f.Add("@anna:example.org")
	f.Add("re.compile('@.*:friends\\\\.org')")
	f.Fuzz(func(t *testing.T, old string) {
		entry, err := oldbot.Translate(old)
		if err == nil && entry.Pattern.Matches("") {
			t.Errorf("%q matches the empty text", old)
		}
	})
}
