package commands

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// mostUses is more than anybody needs and less than databases take.
const mostUses = 1_000_000

func create() *Command {
	return &Command{
		Name:    "create",
		Aliases: []string{"new"},
		Role:    access.Inviter,
		Options: []string{"uses", "expires", "token"},
		Secret:  true,
		Differs: createDiffers,
		Run:     planCreate,
		Report:  reportCreate,
	}
}

// createDiffers is about servers where a token is no key to anything.
func createDiffers(able tokens.Abilities) string {
	if able.Unenforced {
		return "create.unenforced"
	}
	return ""
}

func planCreate(ctx context.Context, r *Request) (Reply, error) {
	if len(r.Args) > 0 {
		return Reply{}, r.mistake("create.surplus", locale.Args{"word": excerpt(r.Args[0])})
	}
	spec, err := r.readSpec()
	if err != nil {
		return Reply{}, err
	}
	if err := r.checkLimits(ctx, spec); err != nil {
		return Reply{}, err
	}
	drawn := spec.Text == ""
	if drawn {
		spec.Text = tokens.Draw(r.Settings.Create.Length)
	} else if err := r.reserve(ctx, spec.Text); err != nil {
		return Reply{}, err
	}
	return Reply{Steps: []Step{{
		Kind: StepCreate, Token: spec.Text, Drawn: drawn, Spec: &spec, State: StepPlanned,
	}}}, nil
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

// readSpec is the token that the options ask for. What they don't say comes
// from the config, or from the person's limits where those are narrower.
func (r *Request) readSpec() (tokens.Spec, error) {
	uses := r.Settings.Create.Uses
	if limit := r.limits().Uses; limit > 0 {
		uses = min(uses, limit)
	}
	lasts := r.Settings.Create.Expires
	if limit := r.limits().Expires; limit > 0 {
		lasts = min(lasts, limit)
	}
	ends := r.Now.Add(lasts).Truncate(time.Millisecond)
	spec := tokens.Spec{Uses: &uses, Expires: &ends}

	if word, ok := r.Options["token"]; ok {
		if err := tokens.Validate(word); err != nil {
			return spec, r.mistake("token.bad_text", locale.Args{"token": excerpt(word)})
		}
		spec.Text = word
	}
	if word, ok := r.Options["uses"]; ok {
		n, err := strconv.Atoi(word)
		switch {
		case strings.EqualFold(word, "unlimited"):
			spec.Uses = nil
		case err != nil || n < 1 || n > mostUses:
			return spec, r.mistake("create.bad_uses", locale.Args{"word": excerpt(word), "most": mostUses})
		default:
			spec.Uses = &n
		}
	}
	if word, ok := r.Options["expires"]; ok {
		ends, err := parseExpiry(word, r.Now)
		ends = ends.Truncate(time.Millisecond)
		switch {
		case strings.EqualFold(word, "never"):
			spec.Expires = nil
		case err != nil:
			return spec, r.mistake("create.bad_expiry", locale.Args{"word": excerpt(word)})
		case !ends.After(r.Now):
			return spec, r.mistake("create.past", locale.Args{"when": r.language.When(ends, r.Now)})
		default:
			spec.Expires = &ends
		}
	}
	return spec, nil
}

func reportCreate(ctx context.Context, r *Request, steps []Step) (Reply, error) {
	var reply Reply
	for _, step := range steps {
		if step.State != StepDone {
			reply.Texts = append(reply.Texts, Text{Text: r.failure(step.Failure, step.Token)})
			continue
		}
		reply.Texts = append(reply.Texts,
			Text{Text: r.text("create.done", locale.Args{
				"token":   step.Token,
				"uses":    r.usesAllowed(step.Result.Uses),
				"expires": r.expiry(*step.Result),
			})},
			Text{Text: r.invitation(*step.Result), Forward: true},
		)
	}
	warning, err := r.warnOnce(ctx)
	if err != nil {
		return Reply{}, err
	}
	reply.Texts = append(reply.Texts, warning...)
	return reply, nil
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

// invitation is the text to forward to a friend, as the config has it or the
// built-in one. It is plain, because it is copied from one app into another.
func (r *Request) invitation(token tokens.Token) locale.Text {
	values := locale.Args{"server": r.Settings.ServerName, "address": r.Settings.Address, "code": token.Text}
	if token.Uses != nil {
		values["uses"] = *token.Uses
	}
	if token.Expires != nil {
		values["until"] = r.language.Date(token.Expires.In(r.Now.Location()))
	}
	if text, ok := r.Settings.Messages[r.Settings.Language]; ok {
		return locale.Text{Plain: strings.TrimSpace(locale.Fill(text, values))}
	}
	lines := []locale.Text{r.text("invitation.begin", locale.Args{"server": values["server"], "code": values["code"]})}
	if token.Uses == nil {
		lines = append(lines, r.text("invitation.unlimited", nil))
	} else if *token.Uses != 1 {
		lines = append(lines, r.text("invitation.uses", locale.Args{"n": *token.Uses}))
	}
	if token.Expires != nil {
		lines = append(lines, r.text("invitation.until", locale.Args{"until": values["until"]}))
	}
	lines = append(lines, r.text("invitation.end", locale.Args{"server": values["server"]}))
	return locale.Text{Plain: locale.Lines(lines...).Plain}
}
