package commands

import (
	"net/url"
	"strings"

	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// invitation is the text to forward to a friend, as the config has it or the
// built-in one. It is plain, because it is copied from one app into another.
// If there are several codes, each of them has its own friend: the text leaves
// a blank for it.
func (r *Request) invitation(made []Step) locale.Text {
	token, code := *made[0].Result, r.text("invitation.blank", nil).Plain
	if len(made) == 1 {
		code = token.Text
	}
	values := locale.Args{"server": r.Settings.ServerName, "address": r.Settings.Address, "code": code}
	if token.Uses != nil {
		values["uses"] = *token.Uses
	}
	if token.Expires != nil {
		values["until"] = r.language.LongDate(token.Expires.In(r.Now.Location()))
	}
	if page := r.abilities().SignUp; page != "" {
		values["page"] = page
	}
	if text, ok := r.Settings.Messages[r.language.Name()]; ok {
		return locale.Text{Plain: strings.TrimSpace(locale.Fill(text, values))}
	}

	terms := []locale.Text{r.text("invitation.code", locale.Args{"code": code}), r.peopleInvited(token.Uses)}
	if token.Expires != nil {
		terms = append(terms, r.text("invitation.until", locale.Args{"until": values["until"]}))
	}
	if !r.found() {
		terms = append(terms, r.text("invitation.address", locale.Args{"server": r.Settings.ServerName, "address": r.Settings.Address}))
	}
	ways := r.waysIn(token.Text, len(made) == 1)
	if r.abilities().Kind == tokens.KindMAS {
		ways = r.waysInByMAS()
	}
	return locale.Text{Plain: locale.Paragraphs(
		r.text("invitation.begin", locale.Args{"server": r.Settings.ServerName}),
		locale.Lines(terms...),
		locale.Lines(ways...),
	).Plain}
}

func (r *Request) peopleInvited(uses *int) locale.Text {
	if uses == nil {
		return r.text("invitation.unlimited", nil)
	}
	return r.text("invitation.uses", locale.Args{"n": *uses})
}

// waysIn names apps in which an account is made. Element X can only sign in
// where the homeserver keeps the accounts.
func (r *Request) waysIn(code string, fillIn bool) []locale.Text {
	var ways []locale.Text
	if app := r.Settings.Apps.Cinny; app != "" {
		key, link := "invitation.cinny_blank", webLink(app, "/register/"+r.serverForCinny()+"/")
		if fillIn {
			key, link = "invitation.cinny", link+"?token="+url.QueryEscape(code)
		}
		ways = append(ways, r.text(key, locale.Args{"link": link}))
	}
	if app := r.Settings.Apps.Element; app != "" {
		ways = append(ways, r.text("invitation.element", locale.Args{"link": webLink(app, "/#/register"), "server": r.Settings.ServerName}))
	}
	if len(ways) > 0 {
		ways = append([]locale.Text{r.text("invitation.ways", nil)}, ways...)
	} else {
		ways = append(ways, r.text("invitation.end", locale.Args{"server": r.Settings.ServerName}))
	}
	return append(ways, r.text("invitation.phone", locale.Args{"link": r.elementX()}))
}

// waysInByMAS names the page of the Matrix Authentication Service, after which
// people have an account and no app yet.
func (r *Request) waysInByMAS() []locale.Text {
	ways := []locale.Text{r.text("invitation.end", locale.Args{"server": r.Settings.ServerName})}
	if page := r.abilities().SignUp; page != "" {
		ways[0] = r.text("invitation.page", locale.Args{"link": page})
	}
	ways = append(ways, r.text("invitation.phone_first", locale.Args{"link": r.elementX()}))
	if app := r.Settings.Apps.Element; app != "" {
		ways = append(ways, r.text("invitation.any_app", locale.Args{"link": app}))
	}
	return ways
}

// found tells whether apps find the server by its name. Otherwise the config
// says what to type into them.
func (r *Request) found() bool { return r.Settings.Address == "https://"+r.Settings.ServerName }

// serverForCinny is the server in an address of Cinny: its name, or the URL.
func (r *Request) serverForCinny() string {
	if r.found() {
		return r.Settings.ServerName
	}
	return url.PathEscape(r.Settings.Address)
}

// elementX is an address that opens the app, or says where to get it
// (https://docs.element.io/latest/element-support/using-mobile-client-provisioning/).
func (r *Request) elementX() string {
	provider := r.Settings.ServerName
	if address, err := url.Parse(r.Settings.Address); err == nil && !r.found() {
		provider = address.Host
	}
	return "https://mobile.element.io/element?account_provider=" + url.QueryEscape(provider)
}

func webLink(app, path string) string { return strings.TrimSuffix(app, "/") + path }
