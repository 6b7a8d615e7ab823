package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// placeholder finds the {names} in a text, and braces that are not part of one.
var placeholder = regexp.MustCompile(`\{([^{}]*)\}|[{}]`)

// invitationNames are what the text to forward can name. Not every code has an
// end or a limit of uses: the commands leave a line out that names what is not
// there.
func invitationNames() []string { return []string{"server", "address", "code", "until", "uses"} }

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
		hasCode = hasCode || slices.Contains(names, "code") && !slices.Contains(names, "until") && !slices.Contains(names, "uses")
	}
	if !hasCode {
		return 1, "needs a line with {code} and without {until} and {uses}, which not every code has"
	}
	return 0, ""
}
