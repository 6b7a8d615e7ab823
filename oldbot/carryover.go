package oldbot

import (
	"errors"
	"fmt"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
)

// Outcome is what becomes of an entry.
type Outcome struct {
	Entry
	Blocked bool  // it is of the block-list
	Err     error // why it is not carried over, nil if it is
}

// CarryOver translates both lists, the block-list first. On the old one it won
// over everything, while here a user id wins over a pattern: so users whom it kept
// out are not carried over at all. An entry of the block-list that can't be
// translated is an error, as leaving it out would let people in.
func (l Lists) CarryOver() ([]Outcome, error) {
	var outcomes []Outcome
	var untranslated error
	for _, old := range l.Blocked {
		outcome := carryOver(old, true, outcomes)
		if outcome.Err != nil && !errors.Is(outcome.Err, ErrRepeated) && !errors.Is(outcome.Err, ErrNobody) {
			untranslated = errors.Join(untranslated, fmt.Errorf("the entry %s of the block-list can't be carried over: %w", old, outcome.Err))
		}
		outcomes = append(outcomes, outcome)
	}
	for _, old := range l.Allowed {
		outcomes = append(outcomes, carryOver(old, false, outcomes))
	}
	return outcomes, untranslated
}

// carryOver translates an entry and compares it with those before it.
func carryOver(old string, blocked bool, before []Outcome) Outcome {
	entry, err := Translate(old)
	outcome := Outcome{Entry: entry, Blocked: blocked, Err: err}
	for _, other := range before {
		switch {
		case outcome.Err != nil || other.Err != nil:
		case other.Blocked && !blocked && covers(other.Pattern, entry.Pattern):
			outcome.Err = ErrBlocked
		case other.Pattern.String() == entry.Pattern.String():
			outcome.Err = ErrRepeated
		}
	}
	return outcome
}

// covers tells whether the first pattern certainly matches all whom the second does.
func covers(p, q access.Pattern) bool {
	return p.String() == q.String() || q.Kind() == access.OneUser && p.Matches(id.UserID(q.String()))
}
