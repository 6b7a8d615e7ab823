package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rs/zerolog"

	"matrix-registration-bot/tokens"
)

// ledger carries out plans: each step has its effect exactly once, whenever
// the program dies in between.
type ledger struct {
	server tokens.Server
	store  Store
	log    zerolog.Logger
	patience
}

// carryOut brings every step of a committed plan to its end and stores how it
// ended. resumed says that an earlier run may have sent requests already. The
// only error is ErrUnsettled: the plan has to be resumed later.
func (l *ledger) carryOut(ctx context.Context, plan *Plan, resumed bool) error {
	waiter := l.begin()
	for n := range plan.Steps {
		step := &plan.Steps[n]
		if step.Token == "" { // Forget was here: the token is gone since
			step.fail(failureErased)
		}
		if step.After && step.State == StepPlanned && plan.Steps[n-1].State != StepDone {
			step.fail(failureKept)
		}
		if step.State != StepPlanned {
			continue
		}
		if err := l.settle(ctx, step, resumed, waiter); err != nil {
			return err
		}
		if err := l.store.SaveStep(ctx, plan.Event, n, *step); err != nil {
			return fmt.Errorf("%w: storing the outcome: %w", ErrUnsettled, err)
		}
		if step.State == StepDone {
			waiter = l.begin()
		}
	}
	return nil
}

// settle tries until the step has had its effect, certainly won't have it, or
// patience ends. sent says that a request may have been sent whose outcome is
// not known.
func (l *ledger) settle(ctx context.Context, step *Step, sent bool, waiter *waiter) error {
	for {
		unclear, err := l.attempt(ctx, step, sent)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, tokens.ErrUnknownOutcome), errors.Is(err, tokens.ErrExists), failureKey(err) == "":
			sent, unclear = true, true
		case !unclear && !tokens.Temporary(err):
			step.fail(failureKey(err))
			return nil
		}
		if waiter.wait(ctx, err) {
			continue
		}
		l.log.Warn().Err(err).Str("step", string(step.Kind)).Msg("The server did not do as asked")
		if unclear {
			if unclear, _ = l.look(ctx, step); step.State != StepPlanned {
				return nil
			}
		}
		if unclear || ctx.Err() != nil {
			return fmt.Errorf("%w: %s: %w", ErrUnsettled, step.Kind, err)
		}
		step.fail(cmp.Or(failureKey(err), failureKey(tokens.ErrUnknownOutcome)))
		return nil
	}
}

// attempt asks the server once and sets the state of the step, or returns an
// error. If a request has been sent before, it looks first whether that had
// its effect; unclear says that it could not see.
func (l *ledger) attempt(ctx context.Context, step *Step, sent bool) (unclear bool, err error) {
	if sent {
		if unclear, err := l.look(ctx, step); err != nil || step.State != StepPlanned {
			return unclear, err
		}
	}
	switch step.Kind {
	case StepCreate:
		return false, l.create(ctx, step, sent)
	case StepUpdate:
		return false, l.update(ctx, step)
	case StepDelete:
		return false, l.delete(ctx, step, sent)
	case StepRestore:
		return false, l.restore(ctx, step, sent)
	}
	return false, fmt.Errorf("step of unknown kind %q", step.Kind)
}

// look finds out whether the step has had its effect already. unclear says
// that it could not see.
func (l *ledger) look(ctx context.Context, step *Step) (unclear bool, err error) {
	found, err := l.server.Get(ctx, step.Token)
	absent := errors.Is(err, tokens.ErrNotFound)
	if err != nil && !absent {
		return true, err
	}
	switch {
	case absent && step.Kind == StepDelete:
		step.State = StepDone
	case absent:
	case step.Kind == StepCreate:
		step.meet(found)
	case step.Kind == StepUpdate && step.Spec.Matches(found):
		step.State, step.Result = StepDone, &found
	case step.Kind == StepUpdate && !specOf(*step.Seen).Matches(found):
		step.fail(failureChanged)
	case step.Kind != StepUpdate && found.Revoked == (step.Kind == StepDelete):
		step.State, step.Result = StepDone, &found
	}
	return false, nil
}

// specOf asks for a token as it is.
func specOf(t tokens.Token) tokens.Spec {
	return tokens.Spec{Text: t.Text, Uses: t.Uses, Expires: t.Expires}
}

func (l *ledger) create(ctx context.Context, step *Step, sent bool) error {
	made, err := l.server.Create(ctx, *step.Spec)
	switch {
	case err == nil:
		step.State, step.Result = StepDone, &made
		return nil
	case errors.Is(err, tokens.ErrExists) && !step.Drawn && !sent:
		step.fail("token.exists") // somebody else was faster
		return nil
	}
	return err // "exists" may be our own request that arrived late: the next attempt looks
}

func (l *ledger) update(ctx context.Context, step *Step) error {
	editor, able := l.server.(tokens.Editor)
	if !able {
		step.fail(failureKey(tokens.ErrUnable))
		return nil
	}
	changed, err := editor.Update(ctx, *step.Spec)
	switch {
	case err == nil:
		step.State, step.Result = StepDone, &changed
		return nil
	case errors.Is(err, tokens.ErrNotFound):
		step.fail(failureGone) // somebody else was faster
		return nil
	}
	return err
}

func (l *ledger) delete(ctx context.Context, step *Step, sent bool) error {
	err := l.server.Delete(ctx, step.Token)
	switch {
	case err == nil, errors.Is(err, tokens.ErrNotFound) && sent:
		step.State = StepDone
		if step.Seen != nil && tokens.AbilitiesOf(l.server).Revokes {
			after := *step.Seen
			after.Revoked = true
			step.Result = &after
		}
		return nil
	case errors.Is(err, tokens.ErrRevoked):
		step.fail(failureRevoked) // somebody else was faster
		return nil
	case errors.Is(err, tokens.ErrNotFound):
		step.fail(failureGone)
		return nil
	}
	return err
}

func (l *ledger) restore(ctx context.Context, step *Step, sent bool) error {
	restorer, able := l.server.(tokens.Restorer)
	if !able {
		step.fail(failureKey(tokens.ErrUnable))
		return nil
	}
	restored, err := restorer.Restore(ctx, step.Token)
	if errors.Is(err, tokens.ErrNotRevoked) && sent {
		restored, err = l.server.Get(ctx, step.Token)
	}
	if err == nil {
		step.State, step.Result = StepDone, &restored
	}
	return err
}

// meet judges the token that stands on the server under the text that was to
// be created. It was absent when the plan was made: if the bot drew the text,
// or the token is what was asked for, it is ours.
func (s *Step) meet(found tokens.Token) {
	if s.Drawn || s.Spec.Matches(found) {
		s.State, s.Result = StepDone, &found
	} else {
		s.fail("token.exists")
	}
}

// Failures of steps, as locale keys.
const (
	failureGone   = "token.gone"   // somebody else deleted it first
	failureErased = "token.erased" // it was deleted before an interrupted command went on
	// failureRevoked: it was deleted before, and stays on the server.
	failureRevoked = "token.revoked"
	// failureChanged: somebody else changed it while the outcome was not known.
	failureChanged = "token.changed"
	// failureKept: nothing was tried, because the step before it failed.
	failureKept = "token.kept"
)

func (s *Step) fail(key string) { s.State, s.Failure = StepFailed, key }

// open tells whether anything is left to do.
func (p Plan) open() bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.State == StepPlanned })
}
