package commands

import (
	"context"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// restore is for managers: an inviter could go beyond the limits with it.
func restore() *Command {
	return &Command{
		Name:   "restore",
		Role:   access.Manager,
		Secret: true,
		Needs:  func(able tokens.Abilities) bool { return able.Revokes },
		Run:    planRestore,
		Report: reportRestore,
	}
}

func planRestore(ctx context.Context, r *Request) (Reply, error) {
	found, err := r.lookUp(ctx)
	if err != nil {
		return Reply{}, err
	}
	if !r.abilities().Revokes {
		return Reply{}, r.mistake("server.unable", nil)
	}
	var reply Reply
	for _, f := range found {
		step := Step{Kind: StepRestore, Token: f.text, State: StepPlanned, Seen: &f.token}
		if f.failure == "" && !f.token.Revoked {
			f.failure = failureKey(tokens.ErrNotRevoked)
		}
		if f.failure != "" {
			step = Step{Kind: StepRestore, Token: f.text, State: StepFailed, Failure: f.failure}
		}
		reply.Steps = append(reply.Steps, step)
	}
	return reply, nil
}

func reportRestore(_ context.Context, r *Request, steps []Step) (Reply, error) {
	var lines []locale.Text
	for _, step := range steps {
		if step.State != StepDone {
			lines = append(lines, r.failure(step.Failure, step.Token))
			continue
		}
		key := "restore.done"
		if step.Result.State(r.Now) != tokens.Valid {
			key = "restore.useless"
		}
		lines = append(lines, r.text(key, locale.Args{
			"token": step.Token, "uses": r.usesLeft(*step.Result), "expires": r.expiry(*step.Result),
		}))
	}
	return pack(locale.Lines, lines), nil
}
