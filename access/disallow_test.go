package access_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
)

func TestWhatHasToBeDoneToKeepSomebodyOut(t *testing.T) {
	for name, test := range map[string]struct {
		pattern string
		config  config
		stored  stored
		want    access.Change
		remains []string
	}{
		"somebody whom nobody admits": {
			"@anna:example.org", config{"friends.org": inviter}, stored{}, access.Nothing, nil,
		},
		"somebody who is refused already": {
			"@anna:example.org", config{"example.org": inviter}, stored{"@anna:example.org": none}, access.Nothing, nil,
		},
		"somebody whom only their own entry admits": {
			"@anna:example.org", config{}, stored{"@anna:example.org": manager}, access.Remove, nil,
		},
		"somebody whose server the config admits": {
			"@anna:example.org", config{"example.org": inviter}, stored{}, access.Refuse, nil,
		},
		"somebody with an entry whose server the config admits": {
			"@anna:example.org", config{"example.org": inviter}, stored{"@anna:example.org": manager}, access.Refuse, nil,
		},
		"somebody whom a stored pattern admits": {
			"@anna:example.org", config{}, stored{"@a*:example.org": manager}, access.Refuse, nil,
		},
		"somebody whom everyone's entry admits": {
			"@anna:example.org", config{}, stored{"*": inviter}, access.Refuse, nil,
		},
		"somebody with an entry whom another one refuses": {
			"@anna:example.org", config{"example.org": inviter}, stored{"@anna:example.org": manager, "@a*:example.org": none}, access.Remove, nil,
		},
		"somebody with an entry on a server closed in the config": {
			"@anna:example.org", config{"example.org": none}, stored{"@anna:example.org": manager, "@a*:example.org": manager}, access.Remove, nil,
		},
		"an admin of the config": {
			"@you:example.org", config{"@you:example.org": admin}, stored{"@you:example.org": inviter}, access.OnlyInConfig, []string{"@you:example.org"},
		},
		"an inviter of the config": {
			"@you:example.org", config{"@you:example.org": inviter}, stored{}, access.OnlyInConfig, []string{"@you:example.org"},
		},
		"an admin by their server": {
			"@you:example.org", config{"example.org": admin}, stored{}, access.OnlyInConfig, []string{"example.org"},
		},
		"somebody whom the config refuses": {
			"@you:example.org", config{"@you:example.org": none}, stored{}, access.Nothing, nil,
		},
		"a pattern that nothing else touches": {
			"@*:friends.org", config{"example.org": inviter}, stored{"@*:friends.org": manager, "@a*:example.org": manager}, access.Remove, nil,
		},
		"a pattern below a server that the config admits": {
			"@a*:example.org", config{"example.org": inviter}, stored{"@a*:example.org": manager}, access.Refuse, nil,
		},
		"a pattern, and people of it who are admitted by name": {
			"@*:friends.org",
			config{"@you:friends.org": admin},
			stored{"@*:friends.org": manager, "@anna:friends.org": inviter, "@bob:friends.org": none},
			access.Remove,
			[]string{"@anna:friends.org", "@you:friends.org"},
		},
		"a server that the config admits": {
			"example.org", config{"example.org": inviter}, stored{}, access.Refuse, nil,
		},
		"a server with people who are admitted by pattern": {
			"example.org", config{"example.org": inviter}, stored{"@a*:example.org": manager}, access.Refuse, []string{"@a*:example.org"},
		},
		"a server whose people are admins by the config": {
			"example.org", config{"example.org": admin}, stored{}, access.OnlyInConfig, []string{"example.org"},
		},
		"everyone, where only servers are admitted": {
			"*", config{"example.org": inviter}, stored{"*": inviter}, access.Remove, []string{"example.org"},
		},
		"a regular expression, where others may meet it": {
			"/@a.*/", config{}, stored{"/@a.*/": manager, "/@.*b:.*/": inviter}, access.Refuse, nil,
		},
		"a glob of several servers that meets another": {
			"@*:*.friends.org", config{}, stored{"@*:*.friends.org": manager, "@a*:a.*": inviter, "a.friends.org": inviter}, access.Refuse, nil,
		},
		"a glob of several servers, none of them admitted": {
			"@*:*.friends.org", config{"example.org": inviter}, stored{"@*:*.friends.org": manager}, access.Remove, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			refusal := access.Disallow(parse(t, test.pattern), test.config, test.stored.list())
			if refusal.Change != test.want {
				t.Errorf("got change %d, want %d", refusal.Change, test.want)
			}
			var remains []string
			for _, reason := range refusal.Remaining {
				remains = append(remains, reason.Pattern)
			}
			if slices.Sort(remains); !slices.Equal(remains, test.remains) {
				t.Errorf("these remain: %v, want %v", remains, test.remains)
			}
		})
	}
}

func TestWhoIsDisallowedIsOutOrTheReasonIsNamed(t *testing.T) {
	everySoOften(t, func(t *testing.T, random *rand.Rand, c config, s stored) {
		text := pick(random, patterns[:len(patterns)-1])
		pattern := parse(t, text)
		refusal := access.Disallow(pattern, c, s.list())
		after := apply(s, text, refusal.Change)
		for _, user := range people {
			if !pattern.Matches(user) {
				continue
			}
			decision := access.Decide(user, c, after.list())
			if decision.Role == none {
				continue
			}
			why := decision.Reasons[0]
			why.Decisive = false
			if !slices.Contains(refusal.Remaining, why) {
				t.Errorf("%s disallowed with change %d: %s is still %s by %v, which is not among %v",
					text, refusal.Change, user, decision.Role, why, refusal.Remaining)
			}
			if pattern.Kind() == access.OneUser && refusal.Change != access.OnlyInConfig {
				t.Errorf("%s was disallowed and is still %s", user, decision.Role)
			}
		}
	})
}

// apply does to the list what a refusal wants.
func apply(s stored, pattern string, change access.Change) stored {
	after := maps.Clone(s)
	switch change {
	case access.Remove:
		delete(after, pattern)
	case access.Refuse:
		after[pattern] = none
	}
	return after
}

func TestEntriesThatPlayAPartInAPattern(t *testing.T) {
	c := config{"*": none, "example.org": inviter, "@you:example.org": admin, "@you:friends.org": admin}
	s := stored{
		"@a*:example.org": manager, "@*:friends.org": none, "@anna:example.org": none, "@bob:friends.org": manager,
		`/@.*a:.*/`: inviter, "/broken(/": admin,
	}
	var got []string
	for _, reason := range access.Overlapping(parse(t, "@*:example.org"), c, s.list()) {
		got = append(got, reason.Pattern)
	}
	want := []string{"@anna:example.org", "@you:example.org", "@a*:example.org", `/@.*a:.*/`, "example.org", "*"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestPatternsThatHaveSomebodyInCommonOverlap(t *testing.T) {
	everySoOften(t, func(t *testing.T, random *rand.Rand, _ config, _ stored) {
		one, two := parse(t, pick(random, patterns[:15])), parse(t, pick(random, patterns[:15]))
		common := slices.IndexFunc(people, func(user id.UserID) bool { return one.Matches(user) && two.Matches(user) })
		found := access.Overlapping(one, nil, []access.Entry{{Pattern: two.String(), Role: inviter}})
		if common >= 0 && len(found) == 0 {
			t.Errorf("%s matches both %s and %s", people[common], one, two)
		}
	})
}

func parse(t *testing.T, text string) access.Pattern {
	t.Helper()
	pattern, err := access.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return pattern
}
