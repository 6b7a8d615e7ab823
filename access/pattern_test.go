package access_test

import (
	"errors"
	"strings"
	"testing"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
)

func TestWhomAPatternMatches(t *testing.T) {
	longUser := "@" + strings.Repeat("x", 255-len("@:a.org")) + ":a.org"
	for name, test := range map[string]struct {
		pattern string
		kind    access.Kind
		yes     []id.UserID
		no      []id.UserID
	}{
		"a user id is only ever itself": {
			"@bob:my.server.org", access.OneUser,
			[]id.UserID{"@bob:my.server.org"},
			[]id.UserID{"@bob:myXserver.org", "@bobby:my.server.org", "@bob:my.server.org:8448", "@bob:my.server.org.evil.com", "bob:my.server.org", ""},
		},
		"letter case counts": {
			"@Bob:example.org", access.OneUser,
			[]id.UserID{"@Bob:example.org"},
			[]id.UserID{"@bob:example.org", "@Bob:Example.org"},
		},
		"historical user ids work": {
			"@Old/user+name=1!#$()[]|^\\?:example.org", access.OneUser,
			[]id.UserID{"@Old/user+name=1!#$()[]|^\\?:example.org"},
			[]id.UserID{"@Old/user name=1!#$()[]|^\\?:example.org", "@Old:example.org"},
		},
		"a user id with what a regular expression would read": {
			"@a+b:x.org", access.OneUser,
			[]id.UserID{"@a+b:x.org"},
			[]id.UserID{"@aab:x.org", "@ab:x.org"},
		},
		"a user id in another script": {
			"@анна:example.org", access.OneUser,
			[]id.UserID{"@анна:example.org"},
			[]id.UserID{"@aннa:example.org"}, // Latin a
		},
		"a user id as long as can be": {
			longUser, access.OneUser,
			[]id.UserID{id.UserID(longUser)},
			[]id.UserID{id.UserID(longUser[:10] + longUser[11:])},
		},
		"a user id on a server with a port": {
			"@bob:example.org:8448", access.OneUser,
			[]id.UserID{"@bob:example.org:8448"},
			[]id.UserID{"@bob:example.org"},
		},
		"a user id on an IPv6 server": {
			"@bob:[2001:db8::1]:8448", access.OneUser,
			[]id.UserID{"@bob:[2001:db8::1]:8448"},
			[]id.UserID{"@bob:[2001:db8::1]"},
		},
		"a star stands for any name": {
			"@*:friends.org", access.Glob,
			[]id.UserID{"@anna:friends.org", "@Old/name+1:friends.org", "@:friends.org", "@🎉:friends.org", "@*:friends.org"},
			[]id.UserID{"@anna:friendsXorg", "@anna:x.friends.org", "@anna:friends.org:8448", "@anna:friends.org.evil.com", "@anna:evil.com:friends.org", "friends.org"},
		},
		"a star stands for a part of a name": {
			"@club-*:friends.org", access.Glob,
			[]id.UserID{"@club-anna:friends.org", "@club-:friends.org"},
			[]id.UserID{"@anna:friends.org", "@xclub-anna:friends.org", "@x@club-anna:friends.org"},
		},
		"a star never matches a colon": {
			"@bob:*", access.Glob,
			[]id.UserID{"@bob:example.org"},
			[]id.UserID{"@bob:example.org:8448", "@bob:[::1]", "@alice:example.org"},
		},
		"several stars": {
			"@*-admin:*.example.org", access.Glob,
			[]id.UserID{"@it-admin:a.example.org", "@-admin:a.b.example.org"},
			[]id.UserID{"@it-admin:example.org", "@admin:a.example.org"},
		},
		"a glob on an IPv6 server": {
			"@*:[::1]:8448", access.Glob,
			[]id.UserID{"@bob:[::1]:8448"},
			[]id.UserID{"@bob:[::1]"},
		},
		"dots and brackets in a glob are just that": {
			"@a.[bc]*:x.org", access.Glob,
			[]id.UserID{"@a.[bc]d:x.org"},
			[]id.UserID{"@a.b:x.org", "@axbd:x.org"},
		},
		"a server": {
			"example.org", access.OneServer,
			[]id.UserID{"@anna:example.org", "@Old/name:example.org"},
			[]id.UserID{"@anna:sub.example.org", "@anna:example.org:8448", "@anna:Example.org", "@example.org:evil.com", "@a:evil.com:example.org", "example.org"},
		},
		"a server with a port": {
			"localhost:8448", access.OneServer,
			[]id.UserID{"@anna:localhost:8448"},
			[]id.UserID{"@anna:localhost", "@anna:localhost:84480"},
		},
		"an IPv6 server": {
			"[::1]", access.OneServer,
			[]id.UserID{"@anna:[::1]"},
			[]id.UserID{"@anna:[::1]:8448", "@anna:[::2]"},
		},
		"everyone": {
			"*", access.Everyone,
			[]id.UserID{"@anna:example.org", "@x:[::1]:8448"},
			[]id.UserID{"", "anna", "@anna", "@anna:", "#room:example.org", "@anna:not a server", "@a\xff:example.org"},
		},
		"a regular expression": {
			`/@(anna|bob):example\.org/`, access.Expression,
			[]id.UserID{"@anna:example.org", "@bob:example.org"},
			[]id.UserID{"@annabob:example.org", "@anna:exampleXorg"},
		},
		"a regular expression has to match the whole user id": {
			`/anna|bob/`, access.Expression,
			nil,
			[]id.UserID{"@anna:example.org", "@bob:example.org"},
		},
		"a regular expression may take the longer way": {
			`/@a|@a:x\.org|@ab??.*:y\.org/`, access.Expression,
			[]id.UserID{"@a:x.org", "@abc:y.org"},
			[]id.UserID{"@a:z.org"},
		},
		"a regular expression with anchors of its own": {
			`/^@anna:x\.org$/`, access.Expression,
			[]id.UserID{"@anna:x.org"},
			[]id.UserID{"@xanna:x.org"},
		},
		"a regular expression can't break out of the whole": {
			`/@a:x\.org|\Q@b:x.org/`, access.Expression,
			[]id.UserID{"@a:x.org", "@b:x.org"},
			[]id.UserID{"@b:x.orgs", "@c@b:x.org"},
		},
		"a regular expression that leaves letter case alone": {
			`/(?i)@anna:x\.org/`, access.Expression,
			[]id.UserID{"@Anna:x.org"},
			nil,
		},
		"slashes inside a regular expression": {
			`/@a/b:x\.org/`, access.Expression,
			[]id.UserID{"@a/b:x.org"},
			[]id.UserID{"@a:x.org"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			pattern, err := access.Parse(test.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if pattern.Kind() != test.kind {
				t.Errorf("it is of kind %d, want %d", pattern.Kind(), test.kind)
			}
			if pattern.String() != test.pattern {
				t.Errorf("it is written back as %s", pattern)
			}
			for _, user := range test.yes {
				if !pattern.Matches(user) {
					t.Errorf("it doesn't match %q", user)
				}
			}
			for _, user := range test.no {
				if pattern.Matches(user) {
					t.Errorf("it matches %q", user)
				}
			}
		})
	}
}

func TestWhatIsNoPatternAndWhy(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want error
	}{
		"nothing":                                {"", access.ErrEmpty},
		"a user id without a server":             {"@bob", access.ErrNoServer},
		"a user id with an empty server":         {"@bob:", access.ErrNoServer},
		"a glob without a server":                {"@*", access.ErrNoServer},
		"an @ alone":                             {"@", access.ErrNoServer},
		"a user id with a bad server":            {"@bob:exam_ple!", access.ErrServerName},
		"a user id with a second colon":          {"@bob:a:b", access.ErrServerName},
		"a glob with a bad server":               {"@*:a,b", access.ErrServerName},
		"a user id whose @ is missing":           {"bob:example.org", access.ErrServerName},
		"an email address":                       {"bob@example.org", access.ErrServerName},
		"a room alias":                           {"#room:example.org", access.ErrServerName},
		"a link":                                 {"https://matrix.to/#/@bob:example.org", access.ErrServerName},
		"a star among servers":                   {"*.example.org", access.ErrStar},
		"a glob whose @ is missing":              {"*:example.org", access.ErrStar},
		"white space":                            {"@bob smith:example.org", access.ErrCharacter},
		"a line break":                           {"@bob:example.org\n", access.ErrCharacter},
		"a no-break space":                       {"@bob:example.org\u00a0", access.ErrCharacter},
		"a zero-width space":                     {"@bob\u200b:example.org", access.ErrCharacter},
		"a change of writing direction":          {"@bob\u202e:example.org", access.ErrCharacter},
		"a NUL":                                  {"@bob\x00:example.org", access.ErrCharacter},
		"what is no text":                        {"@bob\xff:example.org", access.ErrCharacter},
		"white space in an expression":           {"/@a b:x/", access.ErrCharacter},
		"a user id of 256 bytes":                 {"@" + strings.Repeat("x", 256-len("@:a.org")) + ":a.org", access.ErrTooLong},
		"an expression of 251 bytes":             {"/" + strings.Repeat("x", 251) + "/", access.ErrTooLong},
		"a slash alone":                          {"/", access.ErrNoSlash},
		"an expression without its last slash":   {"/@bob:example.org", access.ErrNoSlash},
		"an empty expression":                    {"//", access.ErrEmpty},
		"an expression that matches everything":  {"/.*/", access.ErrMatchesEmpty},
		"an expression with an empty branch":     {"/@bob:x|/", access.ErrMatchesEmpty},
		"an expression of optional parts":        {"/(@bob:x)?/", access.ErrMatchesEmpty},
		"an expression with an open bracket":     {"/@(bob:x/", access.ErrExpression},
		"an expression with a bracket too many":  {"/@bob:x)|(.*/", access.ErrExpression},
		"an expression that looks ahead":         {"/(?=@bob).*/", access.ErrExpression},
		"an expression that repeats too often":   {"/((a{100}){100}){100}/", access.ErrExpression},
		"an expression that repeats a bit more":  {"/@a{1001}:x/", access.ErrExpression},
		"what the old bot stored by its mistake": {"re.compile('@bob:example.org')", access.ErrServerName},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := access.Parse(test.text); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestPatternsThatAdmitPeopleOfOtherServers(t *testing.T) {
	for name, test := range map[string]struct {
		pattern string
		server  string // the only one, if that is known
		others  bool
	}{
		"a user of ours":                          {"@anna:example.org", "example.org", false},
		"a user of theirs":                        {"@anna:friends.org", "friends.org", true},
		"a user of our server's other port":       {"@anna:example.org:8448", "example.org:8448", true},
		"our server":                              {"example.org", "example.org", false},
		"another server":                          {"friends.org", "friends.org", true},
		"a word that was meant as a name":         {"anna", "anna", true},
		"a glob on ours":                          {"@club-*:example.org", "example.org", false},
		"a glob on theirs":                        {"@*:friends.org", "friends.org", true},
		"a glob on several":                       {"@anna:*", "", true},
		"a glob below ours":                       {"@anna:*.example.org", "", true},
		"everyone":                                {"*", "", true},
		"an expression for ours":                  {`/@(anna|bob):example\.org/`, "", false},
		"an expression for ours, spelt out":       {`/@anna:example\.org|@bob:example\.org/`, "", false},
		"an expression for ours, with anchors":    {`/^@.*:example\.org$/`, "", false},
		"an expression for ours, in brackets":     {`/(@.*:example\.org)/`, "", false},
		"an expression whose dot is any letter":   {`/@.*:example.org/`, "", true},
		"an expression with a branch for theirs":  {`/@anna:example\.org|@bob:friends\.org/`, "", true},
		"an expression for a server like ours":    {`/@.*example\.org/`, "", true},
		"an expression that ends open":            {`/@anna:example\.org.*/`, "", true},
		"an expression that ends optionally":      {`/@anna:example\.org(:8448)?/`, "", true},
		"an expression that leaves letter case":   {`/(?i)@anna:example\.org/`, "", true},
		"an expression that is one kind of thing": {`/[@:a-z]+/`, "", true},
		"an expression that is only its end":      {`/@+$/`, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			pattern, err := access.Parse(test.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := pattern.AdmitsOthers("example.org"); got != test.others {
				t.Errorf("admits others: %t, want %t", got, test.others)
			}
			if got := pattern.Server(); got != test.server {
				t.Errorf("its server is %q, want %q", got, test.server)
			}
		})
	}
}

func TestAnExpressionWithoutLetterCaseAdmitsServersThatAreSpeltOtherwise(t *testing.T) {
	pattern, err := access.Parse(`/(?i)@.*:EXAMPLE\.ORG/`)
	if err != nil {
		t.Fatal(err)
	}
	if !pattern.AdmitsOthers("EXAMPLE.ORG") {
		t.Error("example.org is another server")
	}
}

func TestAnExpensiveExpressionIsCheap(t *testing.T) {
	pattern, err := access.Parse("/@" + strings.Repeat("(a*)*", 40) + "b:x/")
	if err != nil {
		t.Fatal(err)
	}
	// It would take others than RE2 longer than the universe has existed.
	if pattern.Matches(id.UserID("@" + strings.Repeat("a", 250) + ":x")) {
		t.Error("it matches")
	}
}

// FuzzParse: whatever is parsed doesn't panic and keeps its promises.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"@bob:example.org", "@*:friends.org", "example.org", "[::1]:8448", "*", `/@(anna|bob):example\.org/`, `/\Q/`, "/(?i)a|$/",
		"@a*b*:*.x", "@", "/", "//", "@\x00:\xff", "re.compile('.*')",
	} {
		f.Add(text, "@bob:example.org")
	}
	f.Fuzz(func(t *testing.T, text, user string) {
		pattern, err := access.Parse(text)
		if err != nil {
			return
		}
		if pattern.String() != text {
			t.Errorf("%q is written back as %q", text, pattern)
		}
		if pattern.Matches("") {
			t.Errorf("%q matches nobody", text)
		}
		matches := pattern.Matches(id.UserID(user))
		if pattern.Kind() == access.OneUser && matches != (user == text) {
			t.Errorf("%q matches %q", text, user)
		}
		if _, server, _ := strings.Cut(user, ":"); matches && !pattern.AdmitsOthers("example.org") && server != "example.org" {
			t.Errorf("%q matches %q, but is said to admit nobody of other servers", text, user)
		}
	})
}
