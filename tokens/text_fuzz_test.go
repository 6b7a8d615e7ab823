package tokens_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"matrix-registration-bot/tokens"
)

// FuzzValidate: what passes is what Synapse takes.
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
		if err != nil && !errors.Is(err, tokens.ErrBadText) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
