package tokens

import (
	"errors"
	"html"
	"net/url"
	"strings"
	"unicode/utf8"
)

// wordsLimit is how many bytes of a server's words are kept.
const wordsLimit = 300

// secrets are texts that must not get into an error, because errors are
// logged: servers repeat the token in their messages.
type secrets struct{ replacer *strings.Replacer }

// newSecrets takes the texts in every form that a server or net/http could
// repeat them in.
func newSecrets(texts ...string) secrets {
	var pairs []string
	for _, text := range texts {
		if text == "" {
			continue
		}
		for _, form := range []string{text, escape(text), url.PathEscape(text), url.QueryEscape(text), html.EscapeString(text)} {
			pairs = append(pairs, form, "…")
		}
	}
	return secrets{strings.NewReplacer(pairs...)}
}

// cut returns the beginning of the words, without the secrets.
func (s secrets) cut(words string) string {
	words = s.replacer.Replace(strings.ToValidUTF8(words, "�"))
	if len(words) <= wordsLimit {
		return words
	}
	end := wordsLimit
	for !utf8.RuneStart(words[end]) {
		end--
	}
	return words[:end] + "…"
}

// clean returns the error without the secrets in its text.
func (s secrets) clean(err error) error {
	// net/http puts the address in front, which holds the token.
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err
	}
	if words := s.replacer.Replace(err.Error()); words != err.Error() {
		return &cleanError{words, err}
	}
	return err
}

// cleanError is an error that reads differently.
type cleanError struct {
	words string
	error
}

func (e *cleanError) Error() string { return e.words }
func (e *cleanError) Unwrap() error { return e.error }
