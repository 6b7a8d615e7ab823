package tokens

import (
	"crypto/rand"
	"fmt"
)

// The length of a token text, in characters.
const (
	MaxLength      = 64 // Synapse takes no more
	MinDrawnLength = 8  // 40 bits; shorter ones could be guessed
)

// Validate returns nil if the text can be a token: 1 to 64 characters of
// [A-Za-z0-9._~-], as Synapse has it. Otherwise it returns an error that matches
// ErrBadText and leaves the text out.
func Validate(text string) error {
	if text == "" {
		return fmt.Errorf("%w: it is empty", ErrBadText)
	}
	for i := range len(text) {
		if !isTokenCharacter(text[i]) {
			return fmt.Errorf("%w: it has a character that tokens can't have", ErrBadText)
		}
	}
	if len(text) > MaxLength {
		return fmt.Errorf("%w: it is too long", ErrBadText)
	}
	return nil
}

func isTokenCharacter(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	default:
		return c == '.' || c == '_' || c == '~' || c == '-'
	}
}

// drawnCharacters is easy to read out and to type on a phone: one letter case,
// no look-alikes (0 and o, 1 and l), no marks that a command could take for an
// option. Its 32 characters make 5 bits each, so that a random byte picks one
// without bias.
const drawnCharacters = "abcdefghijkmnpqrstuvwxyz23456789"

// Draw returns a new random token text of the given length; a length outside
// MinDrawnLength to MaxLength is brought there.
func Draw(length int) string {
	text := make([]byte, min(max(length, MinDrawnLength), MaxLength))
	_, _ = rand.Read(text) // never fails, by its documentation
	for i, b := range text {
		text[i] = drawnCharacters[int(b)%len(drawnCharacters)]
	}
	return string(text)
}
