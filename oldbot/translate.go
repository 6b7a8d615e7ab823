package oldbot

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
)

// Why an entry can't be translated, as sentinels for errors.Is.
var (
	// ErrCutOff: the old bot has saved only the beginning of a long pattern.
	ErrCutOff = errors.New("the old bot has saved only its beginning")
	// ErrNobody: the pattern fits no user id.
	ErrNobody = errors.New("it never matched anybody, as user ids look like @anna:example.org")
	// ErrEveryone: the pattern fits whatever there is, the empty text too.
	ErrEveryone = errors.New("it let everyone in, on every server")
	// ErrPython: a regular expression that means nothing, or something else, here.
	ErrPython = errors.New("it means something in Python's regular expressions only")
	// ErrBlocked: the block-list kept these people out all the same.
	ErrBlocked = errors.New("the block-list kept them out all the same")
	// ErrRepeated: the entry says what one before it says.
	ErrRepeated = errors.New("an entry above says the same")
	// ErrUnfit: package access does not take the pattern, for the reason that follows.
	ErrUnfit = errors.New("it can't be on the list of this bot")
)

// Entry is an entry of an old list, translated.
type Entry struct {
	Old     string // as it was written
	Pattern access.Pattern
	// Damaged: the old bot had spoiled the entry when it saved the list. It
	// matched nobody since.
	Damaged bool
	// Literal: the entry is a user id that did not match itself, as it was read
	// as a regular expression. It matched nobody.
	Literal bool
}

// Translate reads an entry of an old list, which was a regular expression that
// had to match the whole user id. The pattern has the same meaning, except that a
// plain user id is only ever itself: its dots stand for no other character any
// more. The error matches one of the package's sentinels; the Entry then holds what
// was found out before.
func Translate(old string) (Entry, error) {
	text, damaged, err := unwrap(old)
	entry := Entry{Old: old, Damaged: damaged}
	if err != nil {
		return entry, err
	}
	if user, ok := plainUser(text); ok {
		matched, err := regexp.MatchString(`\A(?:`+text+`)\z`, text)
		entry.Pattern, entry.Literal = user, err != nil || !matched
		return entry, nil
	}
	entry.Pattern, err = translateExpression(text)
	return entry, err
}

// plainUser tells whether somebody who writes this means a user id, and not a
// regular expression.
func plainUser(text string) (access.Pattern, bool) {
	name, _, _ := strings.Cut(text, ":")
	if !plainName.MatchString(name) || strings.Contains(name, "..") || strings.Contains(name, ".+") {
		return access.Pattern{}, false
	}
	pattern, err := access.Parse(text)
	return pattern, err == nil && pattern.Kind() == access.OneUser
}

var plainName = regexp.MustCompile(`^@[A-Za-z0-9_=/][A-Za-z0-9._=/+-]*$`)

func translateExpression(text string) (access.Pattern, error) {
	if foreign := foreign.FindString(text); foreign != "" {
		return access.Pattern{}, fmt.Errorf("%w: %s", ErrPython, foreign)
	}
	if expression, err := regexp.Compile(text); err == nil {
		switch literal, whole := expression.LiteralPrefix(); {
		case expression.MatchString("") && text != "":
			return access.Pattern{}, ErrEveryone
		case whole: // with escapes, such as @anna:example\.org
			pattern, err := access.Parse(literal)
			if err != nil || pattern.Kind() != access.OneUser || !pattern.Matches(id.UserID(literal)) {
				return access.Pattern{}, ErrNobody
			}
			return pattern, nil
		case literal != "" && literal[0] != '@':
			return access.Pattern{}, ErrNobody
		}
	}
	pattern, err := access.Parse("/" + text + "/")
	switch {
	case errors.Is(err, access.ErrExpression):
		return pattern, fmt.Errorf("%w: %w", ErrPython, err)
	case err != nil:
		return pattern, fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	return pattern, nil
}

// foreign are the parts of regular expressions that Go reads too, but otherwise
// than Python: a{,3} and [[:alpha:]].
var foreign = regexp.MustCompile(`\{,|\[:\^?[a-z]+:\]`)
