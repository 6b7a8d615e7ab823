package commands

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWhoIsAddressed(t *testing.T) {
	const unread = "(unread)"
	for _, test := range []struct {
		text                       string
		direct, inGroup, mentioned string // what is left of the text
	}{
		{"create", "create", unread, "create"},
		{"  \n create\u00a0", "create", unread, "create"},
		{"`create uses=5`", "create uses=5", unread, "create uses=5"},
		{"", "", unread, ""},
		{"!reg create", "create", "create", "create"},
		{"!REG   create", "create", "create", "create"},
		{"!reg", "", "", ""},
		{"!regards to all", "!regards to all", unread, "!regards to all"},
		{"well, !reg create", "well, !reg create", unread, "well, !reg create"},
		{"@registration-bot:example.com create", "create", "create", "create"},
		{"@registration-bot:example.com: create", "create", "create", "create"},
		{"@registration-bot:example.com", "", "", ""},
		{"@registration-bot:example.com.evil.org create", "@registration-bot:example.com.evil.org create", unread, "@registration-bot:example.com.evil.org create"},
		{"Registration Bot: create", "create", "create", "create"},
		{"registration bot, create", "create", "create", "create"},
		{"Registration Bot create", "Registration Bot create", unread, "create"},
		{"Registration Botany: a course", "Registration Botany: a course", unread, "Registration Botany: a course"},
		{"[Registration Bot](https://matrix.to/#/@registration-bot:example.com): create", "create", "create", "create"},
		{"[Anna](https://matrix.to/#/@anna:example.com): create", "[Anna](https://matrix.to/#/@anna:example.com): create", unread, "[Anna](https://matrix.to/#/@anna:example.com): create"},
		{"Registration Bot: !reg create", "create", "create", "create"},
		{"create @registration-bot:example.com", "create @registration-bot:example.com", unread, "create @registration-bot:example.com"},
	} {
		a := address{bot, "Registration Bot", "!reg"}
		for _, where := range []struct {
			m    Message
			want string
		}{
			{Message{Text: test.text, Direct: true}, test.direct},
			{Message{Text: test.text}, test.inGroup},
			{Message{Text: test.text, Mentioned: true}, test.mentioned},
		} {
			got, addressed := a.strip(where.m)
			if !addressed {
				got = unread
			}
			if got != where.want {
				t.Errorf("%q (direct: %t, mentioned: %t) leaves %q instead of %q",
					test.text, where.m.Direct, where.m.Mentioned, got, where.want)
			}
		}
	}
}

func TestPrefixesOfAllSorts(t *testing.T) {
	for _, test := range []struct {
		prefix, text, rest string
		addressed          bool
	}{
		{"", "create", "create", false},
		{"", "Registration Bot: create", "create", true},
		{"!", "!create", "create", true},
		{"!", "! create", "create", true},
		{"!reg", "!reg: create", "create", true},
		{"reg bot", "reg bot create", "create", true},
		{"reg bot", "reg bots create", "reg bots create", false},
		{"ü", "Ü create", "create", true},
	} {
		rest, addressed := address{bot, "Registration Bot", test.prefix}.strip(Message{Text: test.text})
		if rest != test.rest || addressed != test.addressed {
			t.Errorf("prefix %q: %q leaves %q, %t", test.prefix, test.text, rest, addressed)
		}
	}
}

func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"":                             nil,
		" \t\n":                        nil,
		"show  a\tb\nc":                {"show", "a", "b", "c"},
		"show `a` `b`":                 {"show", "a", "b"},
		`note="two words" x`:           {"note=two words", "x"},
		"note=“two words” x":           {"note=two words", "x"},
		"note=„two words“ x":           {"note=two words", "x"},
		"note=«two words» x":           {"note=two words", "x"},
		`note="Anna's" x`:              {"note=Anna's", "x"},
		`note=""`:                      {"note="},
		`""`:                           {""},
		"show \x00a\x00 b":             {"show", "a", "b"},
		"show \"a\x00b\"":              {"show", "ab"},
		`5" disk`:                      {`5"`, "disk"},
		`/@(anna|bob):example\.org/ x`: {`/@(anna|bob):example\.org/`, "x"},
		"show a, b,c , d,, ,":          {"show", "a", "b,c", "d"},
		`note="one, two,", x`:          {"note=one, two,", "x"},
		`"",`:                          {""},
	} {
		if got := split(text); !slices.Equal(got, want) {
			t.Errorf("%q becomes %q instead of %q", text, got, want)
		}
	}
}

func TestOption(t *testing.T) {
	for _, test := range []struct {
		word, key, value string
		follows, ok      bool
	}{
		{"uses=5", "uses", "5", false, true},
		{"USES=5", "uses", "5", false, true},
		{"--uses=5", "uses", "5", false, true},
		{"--uses", "uses", "", true, true},
		{"—uses", "uses", "", true, true},
		{"–uses=5", "uses", "5", false, true},
		{"uses=", "uses", "", false, true},
		{"uses", "", "", false, false},
		{"@a=b:example.org", "", "", false, false},
		{"/a=b/", "", "", false, false},
		{"=5", "", "", false, false},
		{"-", "", "", false, false},
	} {
		key, value, follows, ok := option(test.word)
		if key != test.key || value != test.value || follows != test.follows || ok != test.ok {
			t.Errorf("%q is %q %q %t %t", test.word, key, value, follows, ok)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"create", "list", "show", "delete", "delete-all", "allow", "disallow", "allowed", "whoami", "help"}
	for word, want := range map[string]string{
		"craete": "create", "creat": "create", "shwo": "show", "lsit": "list", "deletall": "delete-all", "alow": "allow",
		"hlep": "help", "disalow": "disallow", "xyzzy": "", "": "", "invite": "",
		"who": "", "stop": "", "me": "", "hello": "", // two letters of four are another word
	} {
		if got := nearest(word, words); got != want {
			t.Errorf("%q is near %q, not %q", word, got, want)
		}
	}
}

func FuzzCommandLine(f *testing.F) {
	for _, text := range []string{
		"create uses=5 expires=14d", `note="two words`, "“a„b", "`!reg` show a", "—uses 5", "Registration Bot: help", "\xff\xfe\"", "@registration-bot:example.com",
		"[x](https://matrix.to/#/@registration-bot:example.com):help",
	} {
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, mentioned bool) {
		rest, addressed := address{bot, "Registration Bot", "!reg"}.strip(Message{Text: text, Mentioned: mentioned})
		if mentioned && !addressed {
			t.Error("a mention was overlooked")
		}
		if !strings.Contains(text, rest) {
			t.Errorf("%q is no part of what was written", rest)
		}
		total := 0
		for _, word := range split(rest) {
			total += utf8.RuneCountInString(word)
			option(word)
			nearest(word[:min(len(word), 40)], []string{"create", "list"})
			if out := excerpt(word); !utf8.ValidString(out) || utf8.RuneCountInString(out) > 80 {
				t.Errorf("the excerpt of %q is %q", word, out)
			}
			if out := masked(word); !utf8.ValidString(out) || utf8.RuneCountInString(out) > 5 {
				t.Errorf("the mask of %q is %q", word, out)
			}
		}
		if total > utf8.RuneCountInString(rest) {
			t.Errorf("splitting %q makes more of it", rest)
		}
	})
}
