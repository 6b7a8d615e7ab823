package tokens

import (
	"crypto/rand"
	_ "embed"
	"strings"
)

// easyWords are 256 words that are the same in English and in German, so that
// most people can write them down when they hear them.
//
//go:embed words.txt
var easyWords string

// drawnWords is how many of them make a text: at 8 bits each, 40 bits in all,
// as many as the shortest drawn text of characters has.
const drawnWords = 5

// DrawWords returns a new random token text of easy words with hyphens
// between them. It has at most MaxLength characters.
func DrawWords() string {
	known := strings.Fields(easyWords)
	choice := make([]byte, drawnWords)
	_, _ = rand.Read(choice) // never fails, by its documentation
	words := make([]string, drawnWords)
	for i, n := range choice {
		words[i] = known[n]
	}
	return strings.Join(words, "-")
}
