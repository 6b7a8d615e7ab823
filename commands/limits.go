package commands

import (
	"context"
	"fmt"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// checkLimits refuses a token beyond the limits of the person's role. The
// person's turn must be held, or two rooms could take the same last place.
func (r *Request) checkLimits(ctx context.Context, spec tokens.Spec) error {
	limits := r.limits()
	if limits.Uses > 0 && (spec.Uses == nil || *spec.Uses > limits.Uses) {
		return r.refuse("limit.uses", locale.Args{"n": limits.Uses})
	}
	if limits.Expires > 0 && (spec.Expires == nil || spec.Expires.After(r.Now.Add(limits.Expires))) {
		return r.refuse("limit.expires", locale.Args{"span": r.language.Span(limits.Expires)})
	}
	if limits.Open == 0 {
		return nil
	}
	open, firstEnds, err := r.openTokens(ctx)
	if err != nil || open < limits.Open {
		return err
	}
	if firstEnds.IsZero() {
		return r.refuse("limit.open", locale.Args{"n": limits.Open})
	}
	return r.refuse("limit.open_until", locale.Args{"n": limits.Open, "when": r.language.When(firstEnds, r.Now)})
}

// openTokens counts the person's tokens that can be used, or are about to be
// made, and says when the first of them expires (zero: none does).
func (r *Request) openTokens(ctx context.Context) (count int, firstEnds time.Time, err error) {
	list, err := r.Server.List(ctx)
	if err != nil {
		return 0, time.Time{}, err
	}
	standing := make(map[string]tokens.Token, len(list))
	for _, token := range list {
		standing[token.Text] = token
	}
	made, err := r.Store.Made(ctx)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("reading the makers: %w", err)
	}
	for text, maker := range made {
		if maker.User != r.Sender {
			continue
		}
		token, stands := standing[text]
		open := token.State(r.Now) == tokens.Valid
		if !stands {
			if open, err = r.planned(ctx, text, maker.Event); err != nil {
				return 0, time.Time{}, err
			}
		}
		if !open {
			continue
		}
		count++
		if ends := token.Expires; ends != nil && (firstEnds.IsZero() || ends.Before(firstEnds)) {
			firstEnds = ends.In(r.Now.Location())
		}
	}
	return count, firstEnds, nil
}

// planned tells whether a command that was interrupted will still make the
// token.
func (r *Request) planned(ctx context.Context, token string, command id.EventID) (bool, error) {
	plan, _, err := r.Store.Plan(ctx, command)
	if err != nil {
		return false, fmt.Errorf("reading a plan: %w", err)
	}
	for _, step := range plan.Steps {
		if step.Token == token && step.State == StepPlanned {
			return true, nil
		}
	}
	return false, nil
}
