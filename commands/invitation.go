package commands

import (
	"strings"

	"matrix-registration-bot/locale"
)

// invitation is the text to forward to a friend, as the config has it or the
// built-in one. It is plain, because it is copied from one app into another.
// If there are several codes, each of them has its own friend: the text leaves
// a blank for it.
func (r *Request) invitation(made []Step) locale.Text {
	token := *made[0].Result
	code := token.Text
	if len(made) > 1 {
		code = r.text("invitation.blank", nil).Plain
	}
	values := locale.Args{"server": r.Settings.ServerName, "address": r.Settings.Address, "code": code}
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
