package commands

import (
	"context"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

func rotate() *Command {
	return &Command{
		Name:    "rotate",
		Aliases: []string{"replace"},
		Role:    access.Inviter,
		Secret:  true,
		Run:     planRotate,
		Report:  reportRotate,
	}
}

// planRotate gives the uses that are left to a token with a new text. That one
// comes first: if it can't be made, the old one stays.
func planRotate(ctx context.Context, r *Request) (Reply, error) {
	if len(r.Args) > 1 {
		return Reply{}, r.mistake("token.one", locale.Args{"command": r.Command.Name})
	}
	for _, text := range r.Args { // or somebody else could do the same
		if err := r.takeTurn(ctx, "token "+text); err != nil {
			return Reply{}, err
		}
	}
	found, err := r.lookUpOne(ctx)
	if err != nil {
		return Reply{}, err
	}
	old := found.token
	if old.State(r.Now) != tokens.Valid {
		return Reply{}, r.mistake("rotate.useless", locale.Args{"token": old.Text})
	}
	spec := specOf(old)
	spec.Text = tokens.Draw(r.Settings.Create.Length)
	if left, limited := old.Left(); limited {
		spec.Uses = &left
	}
	maker := r.maker()
	if found.maker.User != "" {
		maker.User, maker.RoomID = found.maker.User, found.maker.RoomID
	}
	maker.Recipient, maker.Note = found.maker.Recipient, found.maker.Note
	return Reply{Steps: []Step{
		{Kind: StepCreate, Token: spec.Text, Drawn: true, Spec: &spec, Maker: &maker, State: StepPlanned},
		{Kind: StepDelete, Token: old.Text, Seen: &old, After: true, State: StepPlanned},
	}}, nil
}

func reportRotate(_ context.Context, r *Request, steps []Step) (Reply, error) {
	made, deleted := steps[0], steps[1]
	if made.State != StepDone {
		return say(locale.Lines(r.failure(made.Failure, made.Token), r.failure(deleted.Failure, deleted.Token))), nil
	}
	lines := []locale.Text{
		r.text("rotate.done", locale.Args{"token": deleted.Token, "new": made.Token}),
		locale.List(append([]locale.Text{r.usesAllowed(made.Result.Uses), r.expiry(*made.Result)}, r.remarks(*made.Maker)...)...),
	}
	if deleted.State != StepDone && deleted.Failure != failureGone {
		lines[0] = locale.Lines(
			r.text("rotate.both", locale.Args{"token": deleted.Token, "new": made.Token}),
			r.failure(deleted.Failure, deleted.Token),
		)
	}
	reply := say(locale.Lines(append(lines, r.toForward(*made.Maker))...))
	reply.Texts = append(reply.Texts, Text{Text: r.invitation(steps[:1]), Forward: true})
	return reply, nil
}
