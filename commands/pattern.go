package commands

import (
	"errors"
	"strings"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
)

// eachPattern does something with every pattern; one that can't be read spoils
// none of the others.
func (r *Request) eachPattern(texts []string, do func(access.Pattern) (locale.Text, error)) (Reply, error) {
	var blocks []locale.Text
	for _, text := range texts {
		pattern, problem := r.readPattern(text)
		if problem != "" {
			blocks = append(blocks, r.text(problem, locale.Args{"pattern": excerpt(text)}))
			continue
		}
		block, err := do(pattern)
		if err != nil {
			return Reply{}, err
		}
		blocks = append(blocks, block)
	}
	return pack(locale.Paragraphs, blocks), nil
}

// readPattern returns a pattern, or the locale key of what is wrong with it.
func (r *Request) readPattern(text string) (pattern access.Pattern, problem string) {
	pattern, err := access.Parse(text)
	switch {
	case err == nil && pattern.Kind() == access.OneServer && text != r.Settings.ServerName && !strings.ContainsAny(text, ".:"):
		return pattern, "pattern.word" // a name or a forgotten @, most likely
	case err == nil:
		return pattern, ""
	case errors.Is(err, access.ErrEmpty):
		return pattern, "pattern.empty"
	case errors.Is(err, access.ErrTooLong):
		return pattern, "pattern.too_long"
	case errors.Is(err, access.ErrCharacter):
		return pattern, "pattern.character"
	case errors.Is(err, access.ErrNoServer):
		return pattern, "pattern.no_server"
	case errors.Is(err, access.ErrServerName):
		return pattern, "pattern.server_name"
	case errors.Is(err, access.ErrStar):
		return pattern, "pattern.star"
	case errors.Is(err, access.ErrNoSlash):
		return pattern, "pattern.no_slash"
	case errors.Is(err, access.ErrMatchesEmpty):
		return pattern, "pattern.matches_empty"
	default:
		return pattern, "pattern.expression"
	}
}

// people says whom a pattern describes.
func (r *Request) people(pattern access.Pattern) locale.Text {
	args := locale.Args{"pattern": excerpt(pattern.String())}
	switch pattern.Kind() {
	case access.OneUser:
		return r.text("people.user", args)
	case access.Glob:
		return r.text("people.glob", args)
	case access.Expression:
		return r.text("people.expression", args)
	case access.OneServer:
		return r.text("people.server", args)
	default:
		return r.text("people.everyone", nil)
	}
}

// verdict says which role a person has now, and why.
func (r *Request) verdict(decision access.Decision) locale.Text {
	if len(decision.Reasons) == 0 {
		return r.text("allow.verdict_unnamed", nil)
	}
	return locale.Lines(r.text("allow.verdict", locale.Args{"role": decision.Role}), r.reasons(decision.Reasons))
}

// reasons lists entries that play a part in somebody's role.
func (r *Request) reasons(reasons []access.Reason) locale.Text {
	const most = 10
	var lines []locale.Text
	for _, reason := range reasons[:min(most, len(reasons))] {
		lines = append(lines, r.reason(reason))
	}
	if more := len(reasons) - len(lines); more > 0 {
		lines = append(lines, r.text("reason.more", locale.Args{"n": more}))
	}
	return locale.List(lines...)
}

func (r *Request) reason(reason access.Reason) locale.Text {
	key := "reason.stored"
	if reason.FromConfig {
		key = "reason.config"
	}
	text := r.text(key, locale.Args{"pattern": excerpt(reason.Pattern), "role": reason.Role})
	if reason.Decisive {
		return locale.Join(", ", text, r.text("reason.decisive", nil))
	}
	return text
}
