package commands

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

func list() *Command {
	return &Command{
		Name:    "list",
		Aliases: []string{"ls"},
		Role:    access.Inviter,
		Secret:  true,
		Differs: listDiffers,
		Run:     listTokens,
	}
}

// listDiffers is about servers that only revoke.
func listDiffers(able tokens.Abilities) string {
	if able.Revokes {
		return "list.revokes"
	}
	return ""
}

// filters of list, beside the states of tokens.
const everything = "all"

func listTokens(ctx context.Context, r *Request) (Reply, error) {
	filter, number := string(tokens.Valid), 1
	for _, word := range r.Args {
		n, err := strconv.Atoi(word)
		switch lower := strings.ToLower(word); {
		case err == nil && n > 0:
			number = n
		case lower == string(tokens.Revoked) && r.abilities().Revokes,
			slices.Contains([]string{string(tokens.Valid), string(tokens.Used), string(tokens.Expired), everything}, lower):
			filter = lower
		default:
			return Reply{}, r.mistake("list.bad_filter", locale.Args{"word": excerpt(word)})
		}
	}
	ask := r.Server.List
	if filter == string(tokens.Valid) {
		ask = r.Server.ListValid
	}
	found, err := ask(ctx)
	if err != nil {
		return Reply{}, err
	}
	made, err := r.Store.Made(ctx)
	if err != nil {
		return Reply{}, fmt.Errorf("reading the makers: %w", err)
	}
	found = slices.DeleteFunc(found, func(t tokens.Token) bool {
		return !r.sees(made[t.Text]) || filter != everything && filter != string(t.State(r.Now))
	})
	slices.SortFunc(found, soonestFirst)

	shown, pages := page(found, number)
	if shown == nil {
		return Reply{}, r.mistake("page.beyond", locale.Args{"n": pages})
	}
	parts := []locale.Text{r.text("list.none_"+filter, nil)}
	if len(found) > 0 {
		parts = []locale.Text{r.text("list."+filter, locale.Args{"n": len(found)}), r.lines(shown, made)}
	}
	if number < pages {
		parts = append(parts, r.morePages(number, pages, "list "+filter))
	}
	if r.Role < access.Manager {
		parts = append(parts, r.text("list.own", nil))
	}
	return say(locale.Lines(parts...)), nil
}

// lines is a line for each token.
func (r *Request) lines(list []tokens.Token, made map[string]Maker) locale.Text {
	var lines []locale.Text
	for _, token := range list {
		line := []locale.Text{locale.Code(token.Text), r.usesLeft(token), r.expiry(token)}
		if token.Revoked {
			line = append(line, r.text("list.mark_revoked", nil))
		}
		if r.Role >= access.Manager {
			line = append(line, r.madeBy(made[token.Text]))
		}
		lines = append(lines, locale.Join(" · ", line...))
	}
	return locale.List(lines...)
}

// soonestFirst orders tokens by their end; those without come last.
func soonestFirst(a, b tokens.Token) int {
	return cmp.Or(endOf(a).Compare(endOf(b)), cmp.Compare(a.Text, b.Text))
}

func endOf(t tokens.Token) time.Time {
	if t.Expires == nil {
		return time.Unix(1<<40, 0) // after everything else
	}
	return *t.Expires
}
