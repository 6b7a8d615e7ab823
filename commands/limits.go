package commands

import (
	"context"
	"fmt"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// checkUses refuses more uses than tokens of the person's role may have.
func (r *Request) checkUses(uses *int) error {
	if limit := r.limits().Uses; limit > 0 && (uses == nil || *uses > limit) {
		return r.refuse("limit.uses", locale.Args{"n": limit})
	}
	return nil
}

// checkExpiry refuses an end that is later than the person's role may choose.
func (r *Request) checkExpiry(expires *time.Time) error {
	if limit := r.limits().Expires; limit > 0 && (expires == nil || expires.After(r.Now.Add(limit))) {
		return r.refuse("limit.expires", locale.Args{"span": r.language.Span(limit)})
	}
	return nil
}

// day is the time within which tokens are counted, whatever became of them.
const day = 24 * time.Hour

// checkDay refuses more tokens than a person may make in a day. It takes the
// person's turn, or two rooms could take the same last place.
func (r *Request) checkDay(ctx context.Context, wanted int) error {
	limit := r.limits().PerDay
	if limit == 0 {
		return nil
	}
	if wanted > limit {
		return r.refuse("limit.per_day_ever", locale.Args{"n": limit})
	}
	if err := r.takeTurn(ctx, r.Sender.String()); err != nil {
		return err
	}
	made, err := r.Store.Created(ctx, r.Sender, createName, r.Now.Add(-day))
	if err != nil {
		return fmt.Errorf("counting tokens: %w", err)
	}
	left := max(0, limit-len(made))
	if wanted <= left {
		return nil
	}
	// The places of the oldest come back first.
	frees := made[len(made)-1-(limit-wanted)].Add(day).In(r.Now.Location())
	return r.refuse("limit.per_day", locale.Args{"n": limit, "left": left, "when": r.language.When(frees, r.Now)})
}

// checkOpen refuses more tokens than a person may have open. It takes the
// person's turn too.
func (r *Request) checkOpen(ctx context.Context, wanted int) error {
	limit := r.limits().Open
	if limit == 0 {
		return nil
	}
	if err := r.takeTurn(ctx, r.Sender.String()); err != nil {
		return err
	}
	open, firstEnds, err := r.openTokens(ctx)
	switch {
	case err != nil || open+wanted <= limit:
		return err
	case open < limit:
		return r.refuse("limit.open_left", locale.Args{"n": limit - open, "most": limit})
	case firstEnds.IsZero():
		return r.refuse("limit.open", locale.Args{"n": limit})
	}
	return r.refuse("limit.open_until", locale.Args{"n": limit, "when": r.language.When(firstEnds, r.Now)})
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
