package tokens

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestThereAreAsManyEasyWordsAsAByteHasValues(t *testing.T) {
	words := strings.Fields(easyWords)
	if len(words) != 256 {
		t.Errorf("there are %d words", len(words))
	}
	if !slices.IsSorted(words) || len(slices.Compact(words)) != len(words) {
		t.Error("the words are not in order, or one is there twice")
	}
	for _, word := range words {
		if !regexp.MustCompile(`^[a-z]{3,10}$`).MatchString(word) {
			t.Errorf("%q is not easy", word)
		}
	}
}

func TestDrawnWordsMakeATokenAndAreRandom(t *testing.T) {
	seen := make(map[string]bool)
	first := make(map[string]bool)
	for range 1000 {
		text := DrawWords()
		if err := Validate(text); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if words := strings.Split(text, "-"); len(words) != drawnWords {
			t.Fatalf("%q has %d words", text, len(words))
		} else {
			first[words[0]] = true
		}
		seen[text] = true
	}
	if len(seen) != 1000 {
		t.Errorf("only %d of 1000 texts differ", len(seen))
	}
	if len(first) < 200 {
		t.Errorf("only %d of the words come first", len(first))
	}
}
