package tokens_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"matrix-registration-bot/tokens"
)

// FuzzValidate: what passes is what Synapse takes, and what does not pass has a
// reason that shows no more of it than one character.
func FuzzValidate(f *testing.F) {
	for _, text := range []string{"", "abc", ".", "..", "a/b", "für", "\xff", "new", strings.Repeat("x", 64), strings.Repeat("x", 65), "a\n"} {
		f.Add(text)
	}
	taken := regexp.MustCompile(`\A[A-Za-z0-9._~-]{1,64}\z`)
	f.Fuzz(func(t *testing.T, text string) {
		err := tokens.Validate(text)
		if (err == nil) != taken.MatchString(text) {
			t.Fatalf("%q: %v", text, err)
		}
		var wrong *tokens.TextError
		if err != nil && (!errors.As(err, &wrong) || utf8.RuneCountInString(wrong.Character) > 1 || !strings.Contains(text, wrong.Character)) {
			t.Errorf("%q: %+v", text, err)
		}
	})
}
