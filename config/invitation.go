package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// placeholder finds the {names} in a text, and braces that are not part of one.
var placeholder = regexp.MustCompile(`\{([^{}]*)\}|[{}]`)

// invitationNames are what the text to forward can name.
func invitationNames() []string {
	return append([]string{"server", "address", "code"}, optionalNames()...)
}

// optionalNames are what not every invitation has: an end, a limit of uses, a
// page for making accounts. The commands leave a line out that names what is
// not there.
func optionalNames() []string { return []string{"until", "uses", "page"} }

// checkInvitation returns what is wrong with a text to forward and in which of
// its lines (from 1), or "".
func checkInvitation(text string) (line int, problem string) {
	hasCode := false
	for words := range strings.SplitSeq(text, "\n") {
		line++
		var names []string
		for _, found := range placeholder.FindAllStringSubmatch(words, -1) {
			if !slices.Contains(invitationNames(), found[1]) {
				return line, fmt.Sprintf("%q is no placeholder; known here: {%s}", found[0], strings.Join(invitationNames(), "}, {"))
			}
			names = append(names, found[1])
		}
		isOptional := slices.ContainsFunc(optionalNames(), func(name string) bool { return slices.Contains(names, name) })
		hasCode = hasCode || slices.Contains(names, "code") && !isOptional
	}
	if !hasCode {
		return 1, "needs a line with {code} and without {until}, {uses} and {page}, which not every code has"
	}
	return 0, ""
}
