package commands

import (
	"cmp"
	"context"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

func update() *Command {
	return &Command{
		Name:      "update",
		Aliases:   []string{"change"},
		Role:      access.Inviter,
		Options:   []string{"uses", "expires", "for", "note"},
		Secret:    true,
		Run:       askUpdate,
		Confirmed: planUpdate,
		Report:    reportUpdate,
	}
}

// change is what update is asked for.
type change struct {
	seen    tokens.Token
	spec    tokens.Spec
	maker   Maker
	remarks bool // what the maker wrote down changes
}

// askUpdate makes sure that a token shall lose its end or its limit.
func askUpdate(ctx context.Context, r *Request) (Reply, error) {
	c, err := r.readChange(ctx)
	if err != nil {
		return Reply{}, err
	}
	if without := endless(c.spec); without != "" && without != endless(specOf(c.seen)) {
		return r.askAgain("update.ask_"+without, locale.Args{"token": c.seen.Text}), nil
	}
	return r.change(c), nil
}

func planUpdate(ctx context.Context, r *Request) (Reply, error) {
	c, err := r.readChange(ctx)
	if err != nil {
		return Reply{}, err
	}
	return r.change(c), nil
}

// readChange reads the options of update, and checks them against the token
// and the person's limits.
func (r *Request) readChange(ctx context.Context) (c change, err error) {
	var wanted tokens.Spec
	err = cmp.Or(
		read(r, "uses", &wanted.Uses, r.readUses),
		read(r, "expires", &wanted.Expires, r.readExpiry),
		read(r, "for", &c.maker.Recipient, r.remark("for", longestRecipient)),
		read(r, "note", &c.maker.Note, r.remark("note", longestNote)),
	)
	switch {
	case err != nil:
		return c, err
	case len(r.Args) > 1:
		return c, r.mistake("update.surplus", locale.Args{"word": excerpt(r.Args[1])})
	case len(r.Options) == 0:
		return c, r.mistake("update.what", nil)
	}
	found, err := r.lookUpOne(ctx)
	if err != nil {
		return c, err
	}
	c.seen, c.spec = found.token, specOf(found.token)
	remarks := c.maker
	c.maker = found.maker
	if _, given := r.Options["for"]; given {
		c.maker.Recipient, c.remarks = remarks.Recipient, true
	}
	if _, given := r.Options["note"]; given {
		c.maker.Note, c.remarks = remarks.Note, true
	}
	return c, r.setTerms(ctx, &c, wanted)
}

// setTerms gives a change the uses and the expiry that the options name.
func (r *Request) setTerms(ctx context.Context, c *change, wanted tokens.Spec) error {
	token := locale.Args{"token": c.seen.Text}
	_, newUses := r.Options["uses"]
	_, newExpiry := r.Options["expires"]
	if !newUses && !newExpiry {
		return nil
	}
	if newUses {
		if err := r.checkUses(wanted.Uses); err != nil {
			return err
		}
		c.spec.Uses = wanted.Uses
	}
	if newExpiry {
		if err := r.checkExpiry(wanted.Expires); err != nil {
			return err
		}
		c.spec.Expires = wanted.Expires
	}
	state := c.seen.State(r.Now)
	switch {
	case state == tokens.Revoked:
		return r.mistake(failureRevoked, token)
	case state == tokens.Expired && !newExpiry:
		return r.mistake("update.expired", token)
	case newUses && c.spec.Uses != nil && *c.spec.Uses <= c.seen.Completed:
		return r.mistake("update.used", locale.Args{"token": c.seen.Text, "n": c.seen.Completed, "example": c.seen.Completed + 1})
	case state != tokens.Valid:
		return r.checkOpen(ctx, 1) // it takes a place again
	}
	return nil
}

// change plans a change. What only the bot knows about a token changes with
// the answer.
func (r *Request) change(c change) Reply {
	if !specOf(c.seen).Matches(tokens.Token{Text: c.spec.Text, Uses: c.spec.Uses, Expires: c.spec.Expires}) {
		step := Step{Kind: StepUpdate, Token: c.spec.Text, Spec: &c.spec, Seen: &c.seen, State: StepPlanned}
		if c.remarks {
			step.Maker = &c.maker
		}
		return Reply{Steps: []Step{step}}
	}
	if c.remarks {
		r.commitAlso(func(ctx context.Context) error { return r.Store.SaveMade(ctx, c.seen.Text, c.maker) })
	}
	r.record(done, masked(c.seen.Text))
	return say(r.changed(c.seen, c.maker))
}

func reportUpdate(ctx context.Context, r *Request, steps []Step) (Reply, error) {
	step := steps[0]
	if step.State != StepDone {
		return say(r.failure(step.Failure, step.Token)), nil
	}
	if step.Maker != nil {
		return say(r.changed(*step.Result, *step.Maker)), nil
	}
	maker, err := r.makerOf(ctx, step.Token)
	if err != nil {
		return Reply{}, err
	}
	return say(r.changed(*step.Result, maker)), nil
}

// changed says how a token is now.
func (r *Request) changed(token tokens.Token, maker Maker) locale.Text {
	return locale.Lines(
		r.text("update.done", locale.Args{"token": token.Text}),
		locale.List(append([]locale.Text{r.usesLeft(token), r.expiry(token)}, r.remarks(maker)...)...),
	)
}
