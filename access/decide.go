package access

import (
	"cmp"
	"maps"
	"slices"

	"maunium.net/go/mautrix/id"
)

// Decide computes a person's role. The first of these that applies wins:
//
//  1. the config names the person: that is their role
//  2. the config makes them an admin by their server or "*": nothing written in
//     chat can lock them out
//  3. the stored list names the person
//  4. the config has none for them: that closes the door to every stored glob,
//     regular expression, server and "*"
//  5. the most specific of the other entries, wherever they stand: a glob or
//     regular expression, then the server, then "*"; among equals a refusal
//     wins, else the highest role
//  6. nobody knows them: none
//
// What "the config has for them" is again its most specific entry: with
// {"*": none, "example.com": inviter} it has inviter for people of example.com,
// and stored patterns may make them more.
//
// An entry that can't be read matches nobody, a refusal among them too; it is
// returned in Broken.
func Decide(user id.UserID, config Permissions, list []Entry) Decision {
	rules, broken := read(config, list)
	rules = matching(user, rules)
	decision := Decision{Broken: broken}
	if len(rules) == 0 {
		return decision
	}
	// The decisive rule goes to the front, the others keep their order.
	n := decisive(rules)
	winner := rules[n]
	winner.Decisive = true
	rules = slices.Insert(slices.Delete(rules, n, n+1), 0, winner)

	decision.Role = winner.Role
	decision.Reasons = reasons(rules)
	return decision
}

// decisive returns the position of the rule that wins. All rules match the
// person; there is at least one.
func decisive(rules []rule) int {
	ofConfig := slices.IndexFunc(rules, func(r rule) bool { return r.FromConfig })
	named := slices.IndexFunc(rules, func(r rule) bool { return !r.FromConfig && r.pattern.kind == OneUser })
	switch {
	case ofConfig >= 0 && rules[ofConfig].final():
		return ofConfig
	case named >= 0:
		return named
	case ofConfig >= 0 && rules[ofConfig].Role == None:
		return ofConfig
	default:
		return 0
	}
}

// rule is an entry of the config or the stored list that could be read.
type rule struct {
	Reason
	pattern Pattern
}

// final tells whether nothing in the stored list can change what the rule
// says, if it is what the config has for a person.
func (r rule) final() bool {
	return r.FromConfig && (r.pattern.kind == OneUser || r.Role == Admin)
}

// read returns all rules, those that count most at first.
func read(config Permissions, list []Entry) (rules []rule, broken []Broken) {
	add := func(text string, role Role, fromConfig bool) {
		pattern, err := Parse(text)
		if err != nil {
			broken = append(broken, Broken{text, fromConfig, err})
			return
		}
		rules = append(rules, rule{Reason{Pattern: text, Role: role, FromConfig: fromConfig}, pattern})
	}
	for _, text := range slices.Sorted(maps.Keys(config)) {
		add(text, config[text], true)
	}
	for _, entry := range list {
		add(entry.Pattern, entry.Role, false)
	}
	slices.SortStableFunc(rules, func(a, b rule) int {
		return cmp.Or(
			cmp.Compare(b.pattern.kind.level(), a.pattern.kind.level()),
			cmp.Compare(b.Role.weight(), a.Role.weight()),
		)
	})
	return rules, broken
}

func matching(user id.UserID, rules []rule) []rule {
	return slices.DeleteFunc(rules, func(r rule) bool { return !r.pattern.Matches(user) })
}

func reasons(rules []rule) []Reason {
	reasons := make([]Reason, len(rules))
	for i, r := range rules {
		reasons[i] = r.Reason
	}
	return reasons
}

// level is how specific a kind is: globs and regular expressions are equals.
func (k Kind) level() Kind {
	if k == Expression {
		return Glob
	}
	return k
}

// weight orders roles among equals: a refusal before everything, then the
// highest.
func (r Role) weight() Role {
	if r == None {
		return Admin + 1
	}
	return r
}
