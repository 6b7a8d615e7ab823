package commands

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
)

func allow() *Command {
	return &Command{Name: "allow", Role: access.Admin, Stored: true, Run: allowPatterns}
}

// allowPatterns gives people the role that is the last argument, or manager as
// in the bot's predecessor.
func allowPatterns(ctx context.Context, r *Request) (Reply, error) {
	patterns, role := r.Args, access.Manager
	if len(patterns) > 0 {
		if named, err := access.ParseRole(patterns[len(patterns)-1]); err == nil {
			patterns, role = patterns[:len(patterns)-1], named
		}
	}
	switch {
	case len(patterns) == 0:
		return Reply{}, r.mistake("allow.which", nil)
	case role == access.None:
		return Reply{}, r.mistake("allow.none", nil)
	}
	if last := patterns[len(patterns)-1]; len(patterns) == len(r.Args) && len(patterns) > 1 {
		if _, problem := r.readPattern(last); problem != "" { // a mistyped role must not become manager
			return Reply{}, r.mistake("allow.no_role", locale.Args{"word": excerpt(last)})
		}
	}
	return r.eachPattern(patterns, func(pattern access.Pattern) (locale.Text, error) {
		return r.allow(ctx, pattern, role)
	})
}

// allow stores an entry and says what has come of it.
func (r *Request) allow(ctx context.Context, pattern access.Pattern, role access.Role) (locale.Text, error) {
	isUser := pattern.Kind() == access.OneUser
	if fixed, named := r.Settings.Permissions[pattern.String()]; named && isUser {
		r.record(refused, pattern.String())
		return r.text("allow.only_config", locale.Args{"people": r.people(pattern), "role": fixed}), nil
	}
	list, err := r.putEntry(ctx, pattern, role)
	if err != nil {
		return locale.Text{}, err
	}
	r.record(done, pattern.String())

	lines := []locale.Text{r.text("allow.done", locale.Args{"people": r.people(pattern), "role": role})}
	if pattern.AdmitsOthers(r.Settings.ServerName) {
		lines = append(lines, r.text("allow.others", locale.Args{"server": r.Settings.ServerName}))
	}
	if isUser {
		decision := access.Decide(id.UserID(pattern.String()), r.Settings.Permissions, list)
		lines = append(lines, r.verdict(decision))
	} else {
		lines = append(lines, r.text("allow.overlapping", nil), r.reasons(access.Overlapping(pattern, r.Settings.Permissions, list)))
	}
	return locale.Lines(lines...), nil
}

// putEntry stores an entry and returns the list with it.
func (r *Request) putEntry(ctx context.Context, pattern access.Pattern, role access.Role) ([]access.Entry, error) {
	err := r.Store.PutEntry(ctx, access.Entry{Pattern: pattern.String(), Role: role, AddedBy: r.Sender, AddedAt: r.Now})
	if err != nil {
		return nil, fmt.Errorf("storing an entry: %w", err)
	}
	return r.allowList(ctx)
}

func (r *Request) allowList(ctx context.Context) ([]access.Entry, error) {
	list, err := r.Store.AllowList(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the allow-list: %w", err)
	}
	return list, nil
}
