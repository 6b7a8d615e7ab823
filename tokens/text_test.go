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
	const empty, long, character = "it is empty", "it is too long", "a character that tokens can't have"
	for name, test := range map[string]struct{ text, why string }{
		"nothing":                  {"", empty},
		"65 characters":            {strings.Repeat("x", 65), long},
		"a space":                  {"two words", character},
		"a slash":                  {"a/b", character},
		"an umlaut":                {"für", character},
		"an emoji":                 {"party🎉", character},
		"a curly quote":            {"“abc”", character},
		"a line break":             {"abc\n", character},
		"a NUL":                    {"\x00", character},
		"what is no text":          {"a\xff", character},
		"a letter that looks fine": {"аbc", character}, // Cyrillic
	} {
		t.Run(name, func(t *testing.T) {
			err := tokens.Validate(test.text)
			if !errors.Is(err, tokens.ErrBadText) || !strings.HasSuffix(err.Error(), test.why) {
				t.Errorf("got %v, want ErrBadText, because %s", err, test.why)
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
