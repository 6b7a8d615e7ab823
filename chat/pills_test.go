package chat

import "testing"

func TestMentionsBecomeUserIDs(t *testing.T) {
	link := func(user, name string) string { return `<a href="https://matrix.to/#/` + user + `">` + name + `</a>` }
	for name, c := range map[string]struct{ body, formatted, want string }{
		"a display name":           {"allow Anna manager", "allow " + link("@anna:x.org", "Anna") + " manager", "allow @anna:x.org manager"},
		"two of the same name":     {"allow Anna Anna", "allow " + link("@a:x", "Anna") + " " + link("@b:x", "Anna"), "allow @a:x @b:x"},
		"the user id itself":       {"allow @anna:x.org", "allow " + link("@anna:x.org", "@anna:x.org"), "allow @anna:x.org"},
		"an escaped id and name":   {"allow A & B", "allow " + link("@a%2Fb:x", "A &amp; B"), "allow @a/b:x"},
		"a name that is not there": {"allow Bob", "allow " + link("@anna:x", "Anna"), "allow Bob"},
		"a room":                   {"see Room", `see <a href="https://matrix.to/#/!r:x">Room</a>`, "see Room"},
		"another site":             {"allow Anna", `allow <a href="https://evil.example/#/@anna:x">Anna</a>`, "allow Anna"},
		"no formatting":            {"allow Anna", "", "allow Anna"},
	} {
		if got := namePeople(c.body, c.formatted); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
