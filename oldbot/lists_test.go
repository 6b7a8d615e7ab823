package oldbot_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"matrix-registration-bot/oldbot"
)

func TestListsAreReadAsTheOldBotWroteThem(t *testing.T) {
	for name, test := range map[string]struct {
		content          string
		allowed, blocked []string
	}{
		"by hand, as its documentation says": {
			content: "[simplematrixbotlib.config]\nallowlist = ['@admin.*:example\\.org']\nblocklist = ['@admin3:example\\.org']\n",
			allowed: []string{`@admin.*:example\.org`}, blocked: []string{`@admin3:example\.org`},
		},
		"new": {
			content: "[simplematrixbotlib.config]\ntimeout = 65536\njoin_on_invite = true\nemoji_verify = true\nstore_path = \"./store/\"\n" +
				"allowlist = []\nblocklist = []\n",
			allowed: []string{}, blocked: []string{},
		},
		"saved": {
			content: "[simplematrixbotlib.config]\nallowlist = [ \"@.*:friends\\\\.org\", \"@anna:example.org\",]\nblocklist = []\n",
			allowed: []string{`@.*:friends\.org`, "@anna:example.org"}, blocked: []string{},
		},
		"damaged": {
			content: "[simplematrixbotlib.config]\nallowlist = [ \"re.compile('@.*:friends\\\\.org')\", \"re.compile('@anna:example.org')\",]\nblocklist = []\n",
			allowed: []string{`re.compile('@.*:friends\\.org')`, "re.compile('@anna:example.org')"}, blocked: []string{},
		},
		"damaged twice, and no TOML any more": {
			content: "[simplematrixbotlib.config]\nallowlist = [ \"re.compile(\"re.compile('@anna:example.org')\")\", \"re.compile(\"@o'neil:example.org\")\",\n" +
				"  \"@ben:example.org\" ]\nblocklist = [\"re.compile('@a.*')\"]\n",
			allowed: []string{`re.compile("re.compile('@anna:example.org')")`, `re.compile("@o'neil:example.org")`, "@ben:example.org"},
			blocked: []string{"re.compile('@a.*')"},
		},
		"without lists": {content: "[simplematrixbotlib.config]\njoin_on_invite = false"},
		"empty":         {},
	} {
		t.Run(name, func(t *testing.T) {
			lists, err := oldbot.ReadLists("config.toml", []byte(test.content))
			if err != nil || !slices.Equal(lists.Allowed, test.allowed) || !slices.Equal(lists.Blocked, test.blocked) {
				t.Errorf("read %q, %v", lists, err)
			}
		})
	}
}

func TestABrokenListNamesItsLine(t *testing.T) {
	for content, place := range map[string]string{
		"[simplematrixbotlib.config]\nallowlist = [ \"@anna:example.org\n":     "config.toml:2: ",
		"[simplematrixbotlib.config]\nallowlist = [ \"@anna\"b:example.org\"]": "config.toml:2: ",
		"[simplematrixbotlib.config]\nallowlist = \"@anna:example.org\"":       "allowlist",
		"[simplematrixbotlib.config]\nallowlist = [1]":                         "allowlist",
		"allowlist": "config.toml:1: ",
	} {
		if _, err := oldbot.ReadLists("config.toml", []byte(content)); err == nil || !strings.Contains(err.Error(), place) {
			t.Errorf("%q is read with %v, which does not name %s", content, err, place)
		}
	}
}

func TestTheBlockListWinsAsItDid(t *testing.T) {
	outcomes, err := oldbot.Lists{
		Allowed: []string{"@anna:example.org", "@bad1:example.org", `@.*:example\.org`, "@worse:example.org", "re.compile('@anna:example.org')"},
		Blocked: []string{`@bad.:example\.org`, "@worse:example.org", "nobody"},
	}.CarryOver()
	if err != nil {
		t.Fatal(err)
	}
	want := []error{nil, nil, oldbot.ErrNobody, nil, oldbot.ErrBlocked, nil, oldbot.ErrBlocked, oldbot.ErrRepeated}
	if len(outcomes) != len(want) {
		t.Fatalf("%d outcomes, want %d", len(outcomes), len(want))
	}
	for i, outcome := range outcomes {
		if !errors.Is(outcome.Err, want[i]) || outcome.Blocked != (i < 3) {
			t.Errorf("%s: %v, want %v", outcome.Old, outcome.Err, want[i])
		}
	}
}

func TestABlockThatCanNotBeCarriedOverIsAnError(t *testing.T) {
	_, err := oldbot.Lists{Blocked: []string{"@(?!anna).*", "@bad:example.org", ".*"}}.CarryOver()
	if !errors.Is(err, oldbot.ErrPython) || !errors.Is(err, oldbot.ErrEveryone) {
		t.Errorf("the error is %v", err)
	}
}
