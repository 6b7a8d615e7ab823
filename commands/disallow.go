package commands

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
)

func disallow() *Command {
	return &Command{Name: "disallow", Role: access.Admin, Stored: true, Run: disallowPatterns}
}

func disallowPatterns(ctx context.Context, r *Request) (Reply, error) {
	if len(r.Args) == 0 {
		return Reply{}, r.mistake("disallow.which", nil)
	}
	return r.eachPattern(r.Args, func(pattern access.Pattern) (locale.Text, error) {
		return r.disallow(ctx, pattern)
	})
}

// disallow keeps people out, by removing an entry or by storing a refusal, and
// says what has come of it.
func (r *Request) disallow(ctx context.Context, pattern access.Pattern) (locale.Text, error) {
	list, err := r.allowList(ctx)
	if err != nil {
		return locale.Text{}, err
	}
	refusal := access.Disallow(pattern, r.Settings.Permissions, list)
	outcome, result := done, ""
	switch refusal.Change {
	case access.Remove:
		result = "disallow.removed"
		if err := r.Store.DeleteEntry(ctx, pattern.String()); err != nil {
			return locale.Text{}, fmt.Errorf("removing an entry: %w", err)
		}
		list, err = r.allowList(ctx)
	case access.Refuse:
		result = "disallow.refused"
		list, err = r.putEntry(ctx, pattern, access.None)
	case access.OnlyInConfig:
		outcome, result = refused, "disallow.only_config"
	default:
		result = "disallow.nothing"
	}
	if err != nil {
		return locale.Text{}, err
	}
	r.record(outcome, pattern.String())

	lines := []locale.Text{r.text(result, locale.Args{"people": r.people(pattern)})}
	if pattern.Kind() == access.OneUser {
		decision := access.Decide(id.UserID(pattern.String()), r.Settings.Permissions, list)
		lines = append(lines, r.verdict(decision))
	} else if len(refusal.Remaining) > 0 {
		lines = append(lines, r.text("disallow.remaining", nil), r.reasons(refusal.Remaining))
	}
	return locale.Lines(lines...), nil
}
