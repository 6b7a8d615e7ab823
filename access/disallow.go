package access

import (
	"regexp"
	"slices"
	"strings"

	"maunium.net/go/mautrix/id"
)

// Change is what has to be done to the stored list.
type Change int

// The changes.
const (
	// Nothing: the pattern admits nobody as it is.
	Nothing Change = iota
	// Remove the pattern's entry: nothing else would admit those whom it matches.
	Remove
	// Refuse: put an entry with the role None, because something else would
	// still admit them.
	Refuse
	// OnlyInConfig: what admits them can only be changed in config.yaml.
	OnlyInConfig
)

// Refusal says how to keep those out whom a pattern matches.
type Refusal struct {
	Change Change
	// Remaining are entries that can go on admitting some of them afterwards,
	// because they are more specific or the config's own.
	Remaining []Reason
}

// Disallow computes what `disallow` has to do with the stored list. Whether two
// patterns have people in common can't always be known; then it takes them to
// have some, and rather stores a refusal too many.
func Disallow(pattern Pattern, config Permissions, list []Entry) Refusal {
	isOwn := func(e Entry) bool { return e.Pattern == pattern.text }
	own := slices.IndexFunc(list, isOwn)
	rules, _ := read(config, slices.DeleteFunc(slices.Clone(list), isOwn))

	var remaining []Reason
	refusable, onlyInConfig := false, false
	for _, r := range admitting(pattern, rules) {
		if r.final() || r.pattern.kind.level() > pattern.kind.level() {
			remaining = append(remaining, r.Reason)
			// Then a refusal under this pattern would keep nobody out.
			onlyInConfig = onlyInConfig || r.FromConfig && (pattern.kind == OneUser || r.Pattern == pattern.text)
		} else {
			refusable = true
		}
	}
	refusal := Refusal{Change: Nothing, Remaining: remaining}
	switch {
	case onlyInConfig:
		refusal.Change = OnlyInConfig
	case own >= 0 && list[own].Role == None:
		// refused already
	case refusable:
		refusal.Change = Refuse
	case own >= 0:
		refusal.Change = Remove
	}
	return refusal
}

// admitting returns the rules that let people in whom the pattern matches.
func admitting(pattern Pattern, rules []rule) []rule {
	if pattern.kind == OneUser {
		rules = matching(id.UserID(pattern.text), rules)
		if len(rules) > 0 {
			rules = []rule{rules[decisive(rules)]}
		}
	}
	return slices.DeleteFunc(rules, func(r rule) bool { return r.Role == None || !r.pattern.overlaps(pattern) })
}

// Overlapping returns every entry that can match people whom the pattern
// matches, those that count most at first: what else plays a part when the
// pattern is allowed or disallowed.
func Overlapping(pattern Pattern, config Permissions, list []Entry) []Reason {
	rules, _ := read(config, list)
	return reasons(slices.DeleteFunc(rules, func(r rule) bool { return !r.pattern.overlaps(pattern) }))
}

// overlaps tells whether somebody can match both patterns. It says no only if
// that is certain.
func (p Pattern) overlaps(q Pattern) bool {
	switch {
	case p.kind == OneUser:
		return q.Matches(id.UserID(p.text))
	case q.kind == OneUser:
		return p.Matches(id.UserID(q.text))
	case p.server == "", q.server == "": // everyone, and regular expressions
		return true
	default:
		return serversOverlap(p.server, q.server)
	}
}

// serversOverlap compares two server names that may hold *.
func serversOverlap(a, b string) bool {
	if strings.Contains(b, "*") {
		a, b = b, a
	}
	if strings.Contains(b, "*") {
		return true
	}
	matches, err := regexp.MatchString(globExpression(a), b)
	return err != nil || matches
}
