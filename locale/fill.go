package locale

import (
	"regexp"
	"strings"
)

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// Fill puts values in the place of their {names} in a text that an admin
// wrote, which has no other markup. A line with a name that has no value is
// left out.
func Fill(text string, values Args) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		complete := true
		filled := placeholder.ReplaceAllStringFunc(line, func(place string) string {
			name := strings.Trim(place, "{}")
			complete = complete && values[name] != nil
			return span{value: name}.text(values).Plain
		})
		if complete {
			lines = append(lines, filled)
		}
	}
	return strings.Join(lines, "\n")
}
