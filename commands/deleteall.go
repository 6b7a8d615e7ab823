package commands

import (
	"context"
	"maps"
	"slices"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// deleteAllName is also called by `delete all`.
const deleteAllName = "delete-all"

func removeAll() *Command {
	return &Command{
		Name:      deleteAllName,
		Aliases:   []string{"deleteall"},
		Role:      access.Admin,
		Wordless:  true,
		Differs:   deleteDiffers,
		Run:       askDeleteAll,
		Confirmed: planDeleteAll,
		Report:    reportDeleteAll,
	}
}

// askDeleteAll keeps the tokens that it asks about: those that come later are
// not deleted.
func askDeleteAll(ctx context.Context, r *Request) (Reply, error) {
	if len(r.Args) > 0 {
		return Reply{}, r.mistake("delete-all.surplus", locale.Args{"word": excerpt(r.Args[0])})
	}
	list, err := r.Server.List(ctx)
	if err != nil {
		return Reply{}, err
	}
	list = slices.DeleteFunc(list, func(t tokens.Token) bool { return t.Revoked })
	if len(list) == 0 {
		return say(r.text("delete-all.none", nil)), nil
	}
	var texts []string
	for _, token := range list {
		texts = append(texts, token.Text)
	}
	return r.askAbout("delete-all.question", texts), nil
}

// askAbout asks whether some tokens shall be deleted.
func (r *Request) askAbout(key string, texts []string) Reply {
	reply := say(locale.Lines(r.text(key, locale.Args{"n": len(texts)}), r.howToConfirm()))
	reply.Question = &Question{ID: r.EventID, RoomID: r.RoomID, Asker: r.Sender, Command: r.Command.Name, Tokens: texts}
	return reply
}

func planDeleteAll(ctx context.Context, r *Request) (Reply, error) {
	list, err := r.Server.List(ctx)
	if err != nil {
		return Reply{}, err
	}
	standing := make(map[string]tokens.Token, len(list))
	for _, token := range list {
		standing[token.Text] = token
	}
	var reply Reply
	for _, text := range r.Question.Tokens {
		step := Step{Kind: StepDelete, Token: text, State: StepFailed, Failure: failureGone}
		if token, stands := standing[text]; stands && token.Revoked {
			step.Failure = failureRevoked
		} else if stands {
			step = Step{Kind: StepDelete, Token: text, State: StepPlanned, Seen: &token}
		}
		reply.Steps = append(reply.Steps, step)
	}
	return reply, nil
}

func reportDeleteAll(_ context.Context, r *Request, steps []Step) (Reply, error) {
	deleted, gone := 0, 0
	failed := make(map[string][]locale.Text) // by the sentence's key
	for _, step := range steps {
		switch {
		case step.State == StepDone:
			deleted++
		case step.Failure == failureGone, step.Failure == failureErased, step.Failure == failureRevoked:
			gone++
		default:
			failed[step.Failure] = append(failed[step.Failure], locale.Code(step.Token))
		}
	}
	lines := []locale.Text{r.text("delete-all.done", locale.Args{"n": deleted})}
	if gone > 0 {
		lines = append(lines, r.text("delete-all.gone", locale.Args{"n": gone}))
	}
	for _, key := range slices.Sorted(maps.Keys(failed)) {
		tokens := failed[key]
		lines = append(lines, r.text("delete-all.failed", locale.Args{"n": len(tokens), "reason": r.failure(key, "")}))
		if !r.overheard() {
			const most = 20
			lines = append(lines, locale.List(tokens[:min(most, len(tokens))]...))
		}
	}
	return say(locale.Lines(lines...)), nil
}
