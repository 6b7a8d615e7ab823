package commands

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

func create() *Command {
	return &Command{
		Name:      createName,
		Aliases:   []string{"new"},
		Role:      access.Inviter,
		Options:   []string{"uses", "expires", "token", "length", "count", "for", "note"},
		Secret:    true,
		Differs:   createDiffers,
		Run:       askCreate,
		Confirmed: planCreate,
		Report:    reportCreate,
	}
}

// createDiffers is about servers where a token is no key to anything.
func createDiffers(able tokens.Abilities) string {
	if able.Unenforced {
		return "create.unenforced"
	}
	return ""
}

// createName is the command whose tokens are counted.
const createName = "create"

// askCreate makes sure that a token without end or without limit is wanted.
func askCreate(ctx context.Context, r *Request) (Reply, error) {
	o, err := r.readOrder()
	if err != nil {
		return Reply{}, err
	}
	if without := endless(o.spec); without != "" {
		return r.askAgain("create.ask_"+without, locale.Args{"n": o.count}), nil
	}
	return r.fulfil(ctx, o)
}

// endless says what a token is without a limit of uses or time, "" if it has
// both.
func endless(spec tokens.Spec) string {
	switch {
	case spec.Uses == nil && spec.Expires == nil:
		return "endless"
	case spec.Uses == nil:
		return "unlimited"
	case spec.Expires == nil:
		return "never"
	default:
		return ""
	}
}

func planCreate(ctx context.Context, r *Request) (Reply, error) {
	o, err := r.readOrder()
	if err != nil {
		return Reply{}, err
	}
	return r.fulfil(ctx, o)
}

// fulfil plans the tokens of an order, if there is room for them.
func (r *Request) fulfil(ctx context.Context, o order) (Reply, error) {
	if err := r.checkDay(ctx, o.count); err != nil {
		return Reply{}, err
	}
	if err := r.checkOpen(ctx, o.count); err != nil {
		return Reply{}, err
	}
	drawn := o.spec.Text == ""
	if !drawn {
		if err := r.reserve(ctx, o.spec.Text); err != nil {
			return Reply{}, err
		}
	}
	maker := r.maker()
	maker.Recipient, maker.Note = o.recipient, o.note
	var reply Reply
	for range o.count {
		spec := o.spec
		if drawn {
			spec.Text = o.draw()
		}
		reply.Steps = append(reply.Steps, Step{
			Kind: StepCreate, Token: spec.Text, Drawn: drawn, Spec: &spec, Maker: &maker, State: StepPlanned,
		})
	}
	return reply, nil
}

// reserve makes sure that a text is free, and that no other command takes it
// before this one has ended.
func (r *Request) reserve(ctx context.Context, text string) error {
	if err := r.takeTurn(ctx, "token "+text); err != nil {
		return err
	}
	switch _, err := r.Server.Get(ctx, text); {
	case errors.Is(err, tokens.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	return r.mistake("token.exists", locale.Args{"token": text})
}

func reportCreate(ctx context.Context, r *Request, steps []Step) (Reply, error) {
	var made []Step
	failed := make(map[string]int) // by the sentence's key
	for _, step := range steps {
		if step.State == StepDone {
			made = append(made, step)
		} else {
			failed[step.Failure]++
		}
	}
	var lines []locale.Text
	for _, key := range slices.Sorted(maps.Keys(failed)) {
		failure := r.failure(key, steps[0].Token)
		if len(steps) > 1 {
			failure = r.text("create.failed", locale.Args{"n": failed[key], "reason": failure})
		}
		lines = append(lines, failure)
	}
	if len(made) == 0 {
		return say(locale.Lines(lines...)), nil
	}
	reply := say(locale.Lines(append(r.announce(made), lines...)...))
	reply.Texts = append(reply.Texts, Text{Text: r.invitation(made), Forward: true})
	warning, err := r.warnOnce(ctx)
	reply.Texts = append(reply.Texts, warning...)
	return reply, err
}

// warnOnce tells the first admin who makes a token if the server does not ask
// for it.
func (r *Request) warnOnce(ctx context.Context) ([]Text, error) {
	const setting = "warned_unenforced"
	if r.Role < access.Admin || !r.abilities().Unenforced {
		return nil, nil
	}
	said, err := r.Store.Setting(ctx, setting)
	if err != nil || said != "" {
		return nil, err
	}
	return []Text{{Text: r.text("create.unenforced", nil)}}, r.Store.PutSetting(ctx, setting, r.Now.Format(time.RFC3339))
}

// toForward says what to do with the next message.
func (r *Request) toForward(maker Maker) locale.Text {
	if maker.Recipient == "" {
		return r.text("create.forward", nil)
	}
	return r.text("create.forward_to", locale.Args{"recipient": maker.Recipient})
}

// announce tells the maker of tokens that are all alike.
func (r *Request) announce(made []Step) []locale.Text {
	token, maker := *made[0].Result, *made[0].Maker
	facts := append([]locale.Text{r.usesAllowed(token.Uses), r.expiry(token)}, r.remarks(maker)...)
	if len(made) == 1 {
		return []locale.Text{r.text("create.done", locale.Args{"token": token.Text}), locale.List(facts...), r.toForward(maker)}
	}
	var codes []locale.Text
	for _, step := range made {
		codes = append(codes, locale.Code(step.Token))
	}
	return []locale.Text{
		r.text("create.done_many", locale.Args{"n": len(made)}), locale.List(codes...),
		r.text("create.each", nil), locale.List(facts...),
		r.text("create.forward_many", locale.Args{"blank": r.text("invitation.blank", nil)}),
	}
}
