package commands

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// selection is which tokens a list shows, and in which order.
type selection struct {
	state string    // of the tokens, or everything
	maker id.UserID // empty: whoever made them
	words string    // in the token or in what its maker wrote down
	order string    // one of orders
	page  int       // from 1
}

const everything = "all"

// The orders of a list.
const (
	byExpiry = "expires" // the soonest first
	byAge    = "newest"  // those that were made elsewhere come last
	byUses   = "uses"    // the fewest left first
	byText   = "token"
)

func orders() []string { return []string{byExpiry, byAge, byUses, byText} }

func (r *Request) states() []string {
	states := []string{string(tokens.Valid), string(tokens.Used), string(tokens.Expired), everything}
	if r.abilities().Revokes {
		states = append(states, string(tokens.Revoked))
	}
	return states
}

// readSelection reads what stands after list: `by` and `note` can be options,
// or words that the rest belongs to.
func (r *Request) readSelection() (selection, error) {
	s := selection{state: string(tokens.Valid), order: byExpiry, page: 1}
	err := cmp.Or(
		read(r, "by", &s.maker, r.readMaker),
		read(r, "note", &s.words, r.remark("note", longestNote)),
		read(r, "sort", &s.order, r.readOrderOf),
	)
	for words := r.Args; len(words) > 0 && err == nil; {
		word := words[0]
		words = words[1:]
		number, notANumber := strconv.Atoi(word)
		switch meaning := r.meaning(word); {
		case notANumber == nil && number > 0:
			s.page = number
		case slices.Contains(r.states(), meaning):
			s.state = meaning
		case meaning == "mine":
			s.maker = r.Sender
		case meaning == "by" && len(words) > 0:
			s.maker, err = r.readMaker(words[0])
			words = words[1:]
		case meaning == "note" && len(words) > 0:
			s.words, err = r.remark("note", longestNote)(strings.Join(words, " "))
			words = nil
		default:
			err = r.mistake("list.bad_filter", locale.Args{"word": excerpt(word), "states": strings.Join(r.states(), ", ")})
		}
	}
	return s, err
}

func (r *Request) readMaker(word string) (id.UserID, error) {
	user := id.UserID(word)
	if _, _, err := user.Parse(); err != nil {
		return "", r.mistake("list.bad_maker", locale.Args{"word": excerpt(word)})
	}
	return user, nil
}

func (r *Request) readOrderOf(word string) (string, error) {
	order := r.meaning(word)
	if !slices.Contains(orders(), order) {
		return "", r.mistake("list.bad_order", locale.Args{"word": excerpt(word), "orders": strings.Join(orders(), ", ")})
	}
	return order, nil
}

// takes tells whether a token is part of the selection.
func (s selection) takes(one listed, now time.Time) bool {
	return (s.state == everything || s.state == string(one.State(now))) &&
		(s.maker == "" || s.maker == one.User) &&
		(s.words == "" || slices.ContainsFunc([]string{one.Text, one.Recipient, one.Note}, func(text string) bool {
			return strings.Contains(strings.ToLower(text), strings.ToLower(s.words))
		}))
}

// narrow tells whether more than the state was asked for.
func (s selection) narrow() bool { return s.maker != "" || s.words != "" }

// String is the command that makes the selection, without the page.
func (s selection) String() string {
	command := "list " + s.state
	if s.maker != "" {
		command += " by " + s.maker.String()
	}
	if s.order != byExpiry {
		command += " sort=" + s.order
	}
	if s.words != "" {
		command += fmt.Sprintf(` note="%s"`, s.words)
	}
	return command
}

// compare orders two tokens.
func (s selection) compare(a, b listed) int {
	order := 0
	switch s.order {
	case byExpiry:
		order = endOf(a.Token).Compare(endOf(b.Token))
	case byAge:
		order = b.At.Compare(a.At)
	case byUses:
		order = cmp.Compare(leftOf(a.Token), leftOf(b.Token))
	}
	return cmp.Or(order, cmp.Compare(a.Text, b.Text))
}

// endOf is when a token ends; those without an end come after everything else.
func endOf(t tokens.Token) time.Time {
	if t.Expires == nil {
		return time.Unix(1<<40, 0)
	}
	return *t.Expires
}

// leftOf is how many uses are left; those without a limit come last.
func leftOf(t tokens.Token) int {
	if left, limited := t.Left(); limited {
		return left
	}
	return mostUses + 1
}
