package tokens_test

import (
	"testing"
	"time"

	"matrix-registration-bot/tokens"
)

func TestUsesThatAreLeft(t *testing.T) {
	for name, test := range map[string]struct {
		token   tokens.Token
		left    int
		limited bool
	}{
		"a fresh token has all of them":                     {tokens.Token{Uses: new(3)}, 3, true},
		"finished registrations are taken off":              {tokens.Token{Uses: new(3), Completed: 2}, 1, true},
		"so are those that have begun":                      {tokens.Token{Uses: new(3), Completed: 1, Pending: 1}, 1, true},
		"none are left when all are taken":                  {tokens.Token{Uses: new(1), Completed: 1}, 0, true},
		"an overrun limit leaves none, not fewer than none": {tokens.Token{Uses: new(1), Completed: 4}, 0, true},
		"a token without a limit has no such number":        {tokens.Token{Completed: 9}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			if left, limited := test.token.Left(); left != test.left || limited != test.limited {
				t.Errorf("got %d, %t; want %d, %t", left, limited, test.left, test.limited)
			}
		})
	}
}

func TestStateOfAToken(t *testing.T) {
	now := time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC)
	earlier, later := now.Add(-time.Millisecond), now.Add(time.Millisecond)
	for name, test := range map[string]struct {
		token tokens.Token
		want  tokens.State
	}{
		"without end or limit it is valid":            {tokens.Token{Completed: 100}, tokens.Valid},
		"it is valid before its end":                  {tokens.Token{Expires: &later}, tokens.Valid},
		"it is valid in the very moment of its end":   {tokens.Token{Expires: &now}, tokens.Valid},
		"it is expired after its end":                 {tokens.Token{Expires: &earlier}, tokens.Expired},
		"with a use left it is valid":                 {tokens.Token{Uses: new(2), Completed: 1}, tokens.Valid},
		"it is used when no use is left":              {tokens.Token{Uses: new(2), Completed: 2}, tokens.Used},
		"it is used while the last use is pending":    {tokens.Token{Uses: new(2), Completed: 1, Pending: 1}, tokens.Used},
		"it is used when its limit has been overrun":  {tokens.Token{Uses: new(2), Completed: 3}, tokens.Used},
		"both used and expired, it counts as expired": {tokens.Token{Uses: new(1), Completed: 1, Expires: &earlier}, tokens.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.token.State(now); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestSpecMatchesTheTokenThatItAskedFor(t *testing.T) {
	at := time.Date(2026, 12, 24, 18, 0, 0, int(123*time.Millisecond), time.UTC)
	finer, otherZone, next := at.Add(456*time.Microsecond), at.In(time.FixedZone("CET", 3600)), at.Add(time.Millisecond)
	spec := tokens.Spec{Text: "abc", Uses: new(2), Expires: &at}
	free := tokens.Spec{Text: "abc"}
	for name, test := range map[string]struct {
		spec  tokens.Spec
		token tokens.Token
		want  bool
	}{
		"the same":                             {spec, tokens.Token{Text: "abc", Uses: new(2), Expires: &at}, true},
		"used since":                           {spec, tokens.Token{Text: "abc", Uses: new(2), Expires: &at, Completed: 1, Pending: 1}, true},
		"a server that keeps microseconds":     {spec, tokens.Token{Text: "abc", Uses: new(2), Expires: &finer}, true},
		"another zone":                         {spec, tokens.Token{Text: "abc", Uses: new(2), Expires: &otherZone}, true},
		"another text":                         {spec, tokens.Token{Text: "ABC", Uses: new(2), Expires: &at}, false},
		"other uses":                           {spec, tokens.Token{Text: "abc", Uses: new(3), Expires: &at}, false},
		"another expiry":                       {spec, tokens.Token{Text: "abc", Uses: new(2), Expires: &next}, false},
		"limited is not unlimited":             {spec, tokens.Token{Text: "abc", Expires: &at}, false},
		"ending is not endless":                {spec, tokens.Token{Text: "abc", Uses: new(2)}, false},
		"no limits":                            {free, tokens.Token{Text: "abc"}, true},
		"no limits wanted, but uses are there": {free, tokens.Token{Text: "abc", Uses: new(1)}, false},
		"no limits wanted, but an end is":      {free, tokens.Token{Text: "abc", Expires: &at}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.spec.Matches(test.token); got != test.want {
				t.Errorf("got %t, want %t", got, test.want)
			}
		})
	}
}
