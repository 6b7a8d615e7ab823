package commands

import (
	"context"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

func remove() *Command {
	return &Command{
		Name:    "delete",
		Aliases: []string{"remove"},
		Role:    access.Inviter,
		Secret:  true,
		Differs: deleteDiffers,
		Run:     planDelete,
		Report:  reportDelete,
	}
}

// deleteDiffers is about servers that only revoke.
func deleteDiffers(able tokens.Abilities) string {
	if able.Revokes {
		return "delete.revokes"
	}
	return ""
}

// planDelete keeps what can't be deleted as steps that have failed, so that
// the answer is complete even after a crash.
func planDelete(ctx context.Context, r *Request) (Reply, error) {
	if len(r.Args) == 1 {
		switch r.meaning(r.Args[0]) {
		case string(tokens.Expired):
			return r.runInstead(ctx, deleteExpiredName)
		case everything:
			return r.runInstead(ctx, deleteAllName)
		}
	}
	found, err := r.lookUp(ctx)
	if err != nil {
		return Reply{}, err
	}
	var reply Reply
	for _, f := range found {
		step := Step{Kind: StepDelete, Token: f.text, State: StepPlanned, Seen: &f.token}
		if f.failure == "" && f.token.Revoked {
			f.failure = failureRevoked
		}
		if f.failure != "" {
			step = Step{Kind: StepDelete, Token: f.text, State: StepFailed, Failure: f.failure}
		}
		reply.Steps = append(reply.Steps, step)
	}
	return reply, nil
}

// runInstead goes on as another command, which is given without words.
func (r *Request) runInstead(ctx context.Context, name string) (Reply, error) {
	r.Command, r.Args = r.table.find(name), nil
	if r.Role < r.Command.Role {
		return Reply{}, r.refuseRole()
	}
	return r.Command.Run(ctx, r)
}

func reportDelete(_ context.Context, r *Request, steps []Step) (Reply, error) {
	var lines []locale.Text
	for _, step := range steps {
		switch {
		case step.State != StepDone:
			lines = append(lines, r.failure(step.Failure, step.Token))
		case step.revoked():
			lines = append(lines, r.text("delete.revoked", locale.Args{"token": step.Token}))
		case step.Seen.Pending > 0:
			lines = append(lines, r.text("delete.done_pending", locale.Args{"token": step.Token, "n": step.Seen.Pending}))
		default:
			lines = append(lines, r.text("delete.done", locale.Args{"token": step.Token}))
		}
	}
	return pack(locale.Lines, lines), nil
}
