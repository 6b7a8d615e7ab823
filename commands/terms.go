package commands

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"matrix-registration-bot/locale"
)

// read takes the value of an option into its place, if the option is given.
func read[T any](r *Request, option string, into *T, parse func(word string) (T, error)) error {
	word, given := r.Options[option]
	if !given {
		return nil
	}
	value, err := parse(word)
	if err == nil {
		*into = value
	}
	return err
}

// mostUses is more than anybody needs and less than databases take.
const mostUses = 1_000_000

// readUses reads how often a token can be used; nil is without limit.
func (r *Request) readUses(word string) (*int, error) {
	n, err := strconv.Atoi(word)
	switch {
	case r.meaning(word) == "unlimited":
		return nil, nil
	case err != nil || n < 1 || n > mostUses || word[0] == '+': // +1 is meant as one more
		return nil, r.mistake("create.bad_uses", locale.Args{"word": excerpt(word), "most": mostUses})
	}
	return &n, nil
}

// readExpiry reads when a token ends, in whole milliseconds; nil is never.
func (r *Request) readExpiry(word string) (*time.Time, error) {
	if r.meaning(word) == "never" {
		return nil, nil
	}
	ends, err := parseExpiry(word, r.Now, r.meaning)
	ends = ends.Truncate(time.Millisecond)
	switch {
	case err != nil:
		return nil, r.mistake("create.bad_expiry", locale.Args{"word": excerpt(word)})
	case !ends.After(r.Now):
		return nil, r.mistake("create.past", locale.Args{"when": r.language.When(ends, r.Now)})
	}
	return &ends, nil
}

// number reads a whole number between two others.
func (r *Request) number(option string, least, most int) func(word string) (int, error) {
	return func(word string) (int, error) {
		n, err := strconv.Atoi(word)
		if err != nil || n < least || n > most {
			return 0, r.mistake("option.number", locale.Args{
				"option": option, "word": excerpt(word), "least": least, "most": most, "example": (least + most) / 2,
			})
		}
		return n, nil
	}
}

// The longest that people can write about a token, in characters.
const (
	longestNote      = 200
	longestRecipient = 60
)

// remark reads what a person writes about a token, as one line.
func (r *Request) remark(option string, most int) func(text string) (string, error) {
	return func(text string) (string, error) {
		text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "�"), func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsControl(r)
		}), " ")
		if n := len([]rune(text)); n > most {
			return "", r.mistake("option.too_long", locale.Args{"option": option, "count": n, "most": most})
		}
		return text, nil
	}
}
