package tokens

import (
	"crypto/rand"
	"unicode/utf8"
)

// The length of a token text, in characters.
const (
	MaxLength      = 64 // Synapse takes no more
	MinDrawnLength = 8  // 40 bits; shorter ones could be guessed
)

// TextProblem is what is wrong with a token text.
type TextProblem string

// The problems of token texts.
const (
	TextEmpty        TextProblem = "it is empty"
	TextTooLong      TextProblem = "it is too long"
	TextBadCharacter TextProblem = "it has a character that tokens can't have"
)

// TextError says why a text can't be a token. It matches ErrBadText with
// errors.Is.
type TextError struct {
	Problem   TextProblem
	Character string // TextBadCharacter: the first of them
}

// Error leaves the text out, and the character that is a part of it.
func (e *TextError) Error() string { return ErrBadText.Error() + ": " + string(e.Problem) }

// Is makes errors.Is match ErrBadText.
func (e *TextError) Is(target error) bool { return target == ErrBadText }

// Validate returns nil if the text can be a token: 1 to 64 characters of
// [A-Za-z0-9._~-], as Synapse has it. Otherwise it returns a *TextError.
func Validate(text string) error {
	if text == "" {
		return &TextError{Problem: TextEmpty}
	}
	for i := range len(text) {
		if !isTokenCharacter(text[i]) {
			_, size := utf8.DecodeRuneInString(text[i:])
			return &TextError{Problem: TextBadCharacter, Character: text[i : i+size]}
		}
	}
	if len(text) > MaxLength {
		return &TextError{Problem: TextTooLong}
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
