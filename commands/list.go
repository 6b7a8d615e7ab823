package commands

import (
	"context"
	"fmt"
	"slices"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

func list() *Command {
	return &Command{
		Name:    "list",
		Aliases: []string{"ls"},
		Role:    access.Inviter,
		Options: []string{"by", "note", "sort"},
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

func listTokens(ctx context.Context, r *Request) (Reply, error) {
	s, err := r.readSelection()
	if err != nil {
		return Reply{}, err
	}
	ask := r.Server.List
	if s.state == string(tokens.Valid) {
		ask = r.Server.ListValid
	}
	all, err := ask(ctx)
	if err != nil {
		return Reply{}, err
	}
	made, err := r.Store.Made(ctx)
	if err != nil {
		return Reply{}, fmt.Errorf("reading the makers: %w", err)
	}
	var found []listed
	for _, token := range all {
		one := listed{token, made[token.Text]}
		if r.sees(one.Maker) && s.takes(one, r.Now) {
			found = append(found, one)
		}
	}
	slices.SortFunc(found, s.compare)

	shown, pages := page(found, s.page)
	if shown == nil {
		return Reply{}, r.mistake("page.beyond", locale.Args{"n": pages})
	}
	var foot []locale.Text
	if s.page < pages {
		foot = append(foot, r.morePages(s.page, pages, s.String()))
	}
	if r.Role < access.Manager {
		foot = append(foot, r.text("list.own", nil))
	}
	if len(found) > 0 {
		return listing(r.text("list."+s.state, locale.Args{"n": len(found)}), r.lines(shown), foot...), nil
	}
	none := r.text("list.none_"+s.state, nil)
	if s.narrow() {
		none = r.text("list.none_fits", nil)
	}
	return say(locale.Lines(append([]locale.Text{none}, foot...)...)), nil
}

// listed is a token and who made it.
type listed struct {
	tokens.Token
	Maker
}

// lines is a line for each token.
func (r *Request) lines(list []listed) []locale.Text {
	const mostOfRemark = 40 // show has the rest
	var lines []locale.Text
	for _, one := range list {
		line := []locale.Text{locale.Code(one.Text), r.usesLeft(one.Token), r.expiry(one.Token)}
		if one.Revoked {
			line = append(line, r.text("list.mark_revoked", nil))
		}
		line = append(line, r.remarks(Maker{Recipient: cut(one.Recipient, mostOfRemark), Note: cut(one.Note, mostOfRemark)})...)
		if r.Role >= access.Manager {
			line = append(line, r.madeBy(one.User))
		}
		lines = append(lines, locale.Join(" · ", line...))
	}
	return lines
}
