package tokens_test

import (
	"errors"
	"strings"
	"testing"

	"matrix-registration-bot/tokens"
)

func TestTextsThatCanBeTokens(t *testing.T) {
	for _, text := range []string{"a", ".", "..", "~", "-", "_", "0", "Grandma-2026.12~v_1", strings.Repeat("x", 64)} {
		if err := tokens.Validate(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTextsThatCannotBeTokensAndWhy(t *testing.T) {
	for name, test := range map[string]struct {
		text      string
		problem   tokens.TextProblem
		character string
	}{
		"nothing":                  {"", tokens.TextEmpty, ""},
		"65 characters":            {strings.Repeat("x", 65), tokens.TextTooLong, ""},
		"a space":                  {"two words", tokens.TextBadCharacter, " "},
		"a slash":                  {"a/b", tokens.TextBadCharacter, "/"},
		"an umlaut":                {"für", tokens.TextBadCharacter, "ü"},
		"an emoji":                 {"party🎉", tokens.TextBadCharacter, "🎉"},
		"the first of two":         {"a?b#c", tokens.TextBadCharacter, "?"},
		"a curly quote":            {"“abc”", tokens.TextBadCharacter, "“"},
		"a line break":             {"abc\n", tokens.TextBadCharacter, "\n"},
		"a NUL":                    {"\x00", tokens.TextBadCharacter, "\x00"},
		"what is no text":          {"a\xff", tokens.TextBadCharacter, "\xff"},
		"a letter that looks fine": {"аbc", tokens.TextBadCharacter, "а"}, // Cyrillic
	} {
		t.Run(name, func(t *testing.T) {
			err := tokens.Validate(test.text)
			if !errors.Is(err, tokens.ErrBadText) {
				t.Errorf("%v is not ErrBadText", err)
			}
			var wrong *tokens.TextError
			if !errors.As(err, &wrong) {
				t.Fatalf("got %v, want a TextError", err)
			}
			if wrong.Problem != test.problem || wrong.Character != test.character {
				t.Errorf("got %q, %q; want %q, %q", wrong.Problem, wrong.Character, test.problem, test.character)
			}
		})
	}
}

func TestDrawnTextsAreEasyToPassOn(t *testing.T) {
	seen := map[string]bool{}
	letters := map[rune]int{}
	const draws = 2000
	for range draws {
		text := tokens.Draw(16)
		if err := tokens.Validate(text); err != nil {
			t.Fatal(err)
		}
		if len(text) != 16 {
			t.Fatalf("%q has not 16 characters", text)
		}
		if strings.ContainsAny(text, "0Oo1lI-=") {
			t.Fatalf("%q has look-alikes or looks like an option", text)
		}
		if seen[text] {
			t.Fatalf("%q was drawn twice", text)
		}
		seen[text] = true
		for _, letter := range text {
			letters[letter]++
		}
	}
	// 32 characters, 1000 times each; a standard deviation is 31.
	for letter, n := range letters {
		if n < 700 || n > 1300 {
			t.Errorf("%q was drawn %d times of %d", letter, n, draws*16)
		}
	}
	if len(letters) != 32 {
		t.Errorf("%d characters were drawn, want 32", len(letters))
	}
}

func TestDrawnTextsAreNeverTooShortToBeSafeNorTooLongForServers(t *testing.T) {
	for length, want := range map[int]int{-1: 8, 0: 8, 7: 8, 8: 8, 16: 16, 64: 64, 65: 64} {
		if got := len(tokens.Draw(length)); got != want {
			t.Errorf("Draw(%d) has %d characters, want %d", length, got, want)
		}
	}
}
