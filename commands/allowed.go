package commands

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
)

func allowed() *Command {
	return &Command{Name: "allowed", Role: access.Admin, Run: listAllowed}
}

// listAllowed shows the stored list, then the config's entries.
func listAllowed(ctx context.Context, r *Request) (Reply, error) {
	number := 1
	if len(r.Args) > 0 {
		n, err := strconv.Atoi(r.Args[0])
		if err != nil || n < 1 || len(r.Args) > 1 {
			return Reply{}, r.mistake("allowed.surplus", locale.Args{"word": excerpt(r.Args[0])})
		}
		number = n
	}
	list, err := r.allowList(ctx)
	if err != nil {
		return Reply{}, err
	}
	var lines []locale.Text
	for _, entry := range list {
		lines = append(lines, r.text("allowed.stored", locale.Args{
			"pattern": entry.Pattern,
			"role":    entry.Role,
			"user":    entry.AddedBy,
			"date":    r.language.Date(entry.AddedAt.In(r.Now.Location())),
		}))
	}
	for _, pattern := range slices.Sorted(maps.Keys(r.Settings.Permissions)) {
		lines = append(lines, r.text("allowed.config", locale.Args{"pattern": pattern, "role": r.Settings.Permissions[pattern]}))
	}
	shown, pages := page(lines, number)
	if shown == nil {
		return Reply{}, r.mistake("page.beyond", locale.Args{"n": pages})
	}
	parts := []locale.Text{r.text("allowed.head", locale.Args{"n": len(list)}), locale.List(shown...)}
	if number < pages {
		parts = append(parts, r.morePages(number, pages, "allowed"))
	}
	return say(locale.Lines(parts...)), nil
}
