package locale

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestTheLanguagesAreComplete(t *testing.T) {
	if _, err := Load(); err != nil {
		t.Fatal(err)
	}
}

func TestLanguagesMustAgree(t *testing.T) {
	const english = "greeting: \"Hello {name}\"\ncount: {one: \"one\", other: \"{n} things\"}\n"
	for name, test := range map[string]struct{ german, wrong string }{
		"the same":            {"greeting: \"Hallo {name}\"\ncount: {one: \"eins\", other: \"{n} Dinge\"}\n", ""},
		"a missing key":       {"greeting: \"Hallo {name}\"\n", "count is missing"},
		"a surplus key":       {english + "more: \"mehr\"\n", "more is surplus"},
		"another placeholder": {strings.Replace(english, "{name}", "{user}", 1), "greeting has the placeholders [user] instead of [name]"},
		"no placeholder":      {strings.Replace(english, " {name}", "", 1), "greeting has the placeholders [] instead of [name]"},
		"a key twice":         {english + "greeting: \"Hallo {name}\"\n", "already defined"},
		"a stray brace":       {strings.Replace(english, "{name}", "{Name}", 1), "line 1, greeting: stray brace"},
		"an open mark":        {strings.Replace(english, "Hello", "`Hello", 1), "line 1, greeting: mark not closed"},
		"words":               {"greeting: \"Hallo {name}\"\ncount: {one: \"eins\", other: \"{n} Dinge\"}\nwords: {create: erstelle neu}\n", ""},
		"a word twice":        {"greeting: \"Hallo {name}\"\ncount: {one: \"eins\", other: \"{n} Dinge\"}\nwords: {create: neu, newest: neu}\n", "neu means both create and newest"},
		"a capital word":      {"greeting: \"Hallo {name}\"\ncount: {one: \"eins\", other: \"{n} Dinge\"}\nwords: {create: Neu}\n", "Neu is not in small letters"},
		"words that are none": {english + "words: [neu]\n", "line 3, words"},
		"other plural forms":  {"greeting: \"Hallo {name}\"\ncount: {few: \"ein paar\", other: \"{n} Dinge\"}\n", "plural forms"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(fstest.MapFS{
				"en.yaml": {Data: []byte(english)},
				"de.yaml": {Data: []byte(test.german)},
			})
			switch {
			case test.wrong == "" && err != nil:
				t.Error(err)
			case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong) || !strings.Contains(err.Error(), "de.yaml")):
				t.Errorf("the error is %v, it should name de.yaml and %q", err, test.wrong)
			}
		})
	}
}

func TestEnglishIsNeeded(t *testing.T) {
	if _, err := load(fstest.MapFS{"de.yaml": {Data: []byte("a: b\n")}}); err == nil {
		t.Error("a catalog without English was loaded")
	}
}

func language(t *testing.T, texts string) Language {
	t.Helper()
	catalog, err := load(fstest.MapFS{"en.yaml": {Data: []byte(texts)}})
	if err != nil {
		t.Fatal(err)
	}
	return catalog.Language("en")
}

func TestUnknownLanguagesSpeakEnglish(t *testing.T) {
	catalog, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := catalog.Language("tlh").Text("whoami.unnamed", nil), catalog.Language("en").Text("whoami.unnamed", nil); got != want {
		t.Errorf("%q instead of %q", got, want)
	}
}

func TestWordsAreUnderstoodInEveryLanguage(t *testing.T) {
	catalog, err := load(fstest.MapFS{
		"en.yaml": {Data: []byte("a: b\n")},
		"de.yaml": {Data: []byte("a: b\nwords: {create: erstelle neu}\n")},
		"nl.yaml": {Data: []byte("a: b\nwords: {create: maak, list: lijst}\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]string{"NEU": "create", "maak": "create", "lijst": "list", "Create": "create", "so": "so"} {
		if got := catalog.Meaning(word); got != want {
			t.Errorf("%s means %q instead of %q", word, got, want)
		}
	}
	if got := strings.Join(catalog.Words("create"), " "); got != "erstelle maak neu" {
		t.Errorf("create is %q", got)
	}
	if got := strings.Join(catalog.Language("de").Words("create"), " "); got != "erstelle neu" {
		t.Errorf("in German create is %q", got)
	}
}

func TestWhatIsMissingStaysVisible(t *testing.T) {
	l := language(t, `greeting: "Hello {name}"`)
	if got := l.Text("farewell", nil).Plain; got != "farewell" {
		t.Errorf("a missing text is %q", got)
	}
	if got := l.Text("greeting", nil).Plain; got != "Hello {name}" {
		t.Errorf("a text without its value is %q", got)
	}
}

func TestPlurals(t *testing.T) {
	l := language(t, `things: {one: "one thing", other: "{n} things"}`)
	for n, want := range map[int]string{0: "0 things", 1: "one thing", 2: "2 things"} {
		if got := l.Text("things", Args{"n": n}).Plain; got != want {
			t.Errorf("%d: %q instead of %q", n, got, want)
		}
	}
}

func TestMarkup(t *testing.T) {
	for _, test := range []struct {
		text        string
		args        Args
		plain, html string
	}{
		{"`{token}` is **new**", Args{"token": "abc"}, "abc is new", "<code>abc</code> is <strong>new</strong>"},
		{"`{prefix}create {n}`", Args{"prefix": "!reg ", "n": 2}, "!reg create 2", "<code>!reg create 2</code>"},
		{"**`{a}`{b}**", Args{"a": "x", "b": "y"}, "xy", "<strong><code>x</code></strong><strong>y</strong>"},
		{"a & b\nc", nil, "a & b\nc", "a &amp; b<br>c"},
		{"a\n- b\n- c\nd", nil, "a\n- b\n- c\nd", "a<ul><li>b</li><li>c</li></ul>d"},
		{"- b\n- c", nil, "- b\n- c", "<ul><li>b</li><li>c</li></ul>"},
		{"a\n\nb", nil, "a\n\nb", "a<br><br>b"},
		{"{inner}!", Args{"inner": Text{Plain: "a", HTML: "<strong>a</strong>"}}, "a!", "<strong>a</strong>!"},
		{"{inner}", Args{"inner": Text{Plain: "<a>"}}, "<a>", "&lt;a&gt;"},
	} {
		parsed, err := parse(test.text)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if got, want := parsed.render(test.args), (Text{Plain: test.plain, HTML: test.html}); got != want {
			t.Errorf("%q becomes\n%+v\nand should be\n%+v", test.text, got, want)
		}
	}
}

func TestValuesStayValues(t *testing.T) {
	l := language(t, "echo: \"You wrote `{word}`: {word}\"")
	for _, test := range []struct{ word, plain, html string }{
		{`<a href="https://matrix.to/#/@x:y">x</a>`, `<a href="https://matrix.to/#/@x:y">x</a>`, `&lt;a href=&#34;https://matrix.to/#/@x:y&#34;&gt;x&lt;/a&gt;`},
		{"`**{word}**`", "`**{word}**`", "`**{word}**`"},
		{"a\nb\r\u2028c\x00", "a b  c ", "a b  c "},
		{"abc\u202edef\u2066", "abcdef", "abcdef"},
	} {
		got := l.Text("echo", Args{"word": test.word})
		if want := "You wrote " + test.plain + ": " + test.plain; got.Plain != want {
			t.Errorf("plain: %q instead of %q", got.Plain, want)
		}
		if want := "You wrote <code>" + test.html + "</code>: " + test.html; got.HTML != want {
			t.Errorf("HTML: %q instead of %q", got.HTML, want)
		}
	}
}

func TestJoining(t *testing.T) {
	a, list := Text{Plain: "a<"}, List(Code("x"), Text{Plain: "y\nz"})
	for _, test := range []struct {
		got, want Text
	}{
		{list, Text{"- x\n- y\n  z", "<ul><li><code>x</code></li><li>y<br>z</li></ul>"}},
		{List(), Text{}},
		{Lines(), Text{}},
		{Lines(a, a), Text{"a<\na<", "a&lt;<br>a&lt;"}},
		{Lines(a, list, a), Text{"a<\n- x\n- y\n  z\na<", "a&lt;" + list.HTML + "a&lt;"}},
		{Paragraphs(a, a), Text{"a<\n\na<", "a&lt;<br><br>a&lt;"}},
		{Paragraphs(list, a), Text{list.Plain + "\n\na<", list.HTML + "a&lt;"}},
		{Join(" & ", a, Code("x")), Text{"a< & x", "a&lt; &amp; <code>x</code>"}},
	} {
		if test.got != test.want {
			t.Errorf("got %+v, want %+v", test.got, test.want)
		}
	}
}
