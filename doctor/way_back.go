package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// wayBack has the homeserver call the bot (MSC2659). That needs a running bot.
func wayBack(ctx context.Context, p *Patient) Finding {
	if !p.running(ctx) {
		return warning("The bot is not running, so the homeserver could not be asked to call it.", "Start the bot, then ask again.")
	}
	path := "/_matrix/client/v1/appservice/" + url.PathEscape(p.Registration.ID) + "/ping"
	a, err := p.ask(ctx, http.MethodPost, p.homeserver(), path, nil, true, map[string]string{"transaction_id": "doctor"})
	address := p.Registration.URL
	switch {
	case err != nil:
		return problem(fmt.Sprintf("The homeserver can't be asked: %v.", err), "See the check of the homeserver.")
	case a.status == http.StatusOK:
		return ok(fmt.Sprintf("The homeserver reaches the bot at %s.", address))
	case a.errcode == "M_UNRECOGNIZED":
		return warning("This homeserver has no ping, so the way back can't be tried.", "Write to the bot: if it does not answer, check url in registration.yaml.")
	case a.errcode == "M_UNKNOWN_TOKEN":
		return problem("The homeserver does not know the as_token.", "See the check of the server name.")
	case a.errcode == "M_CONNECTION_FAILED", a.errcode == "M_CONNECTION_TIMEOUT":
		return problem(
			fmt.Sprintf("The homeserver can't reach the bot at %s: %s.", address, a.words),
			fmt.Sprintf("Set url in registration.yaml to where the homeserver finds %s (its own container or machine counts), and restart both.", p.Config.Appservice.Listen))
	case a.errcode == "M_BAD_STATUS":
		return problem(
			fmt.Sprintf("Something else than this bot answers the homeserver at %s, or with another hs_token: %s.", address, a.words),
			"Let the bot and the homeserver use the same registration.yaml, and restart both.")
	case a.errcode == "M_URL_NOT_SET":
		return problem("The registration that the homeserver has loaded has no url.", "Set url in registration.yaml, and restart the homeserver.")
	case a.errcode == "M_FORBIDDEN":
		return problem(
			fmt.Sprintf("The homeserver knows this as_token under another id than %s.", p.Registration.ID),
			"Let the homeserver load this registration.yaml, and restart it.")
	}
	return problem(fmt.Sprintf("Asking the homeserver to call the bot failed: HTTP %d %s.", a.status, a.words), "See the homeserver's log.")
}

// running tells whether a bot answers where this one listens.
func (p *Patient) running(ctx context.Context) bool {
	a, err := p.call(ctx, http.MethodGet, "http://"+p.Config.Appservice.Listen, "/health", nil, false, nil)
	return err == nil && a.status == http.StatusOK
}

func mentions(text, part string) bool {
	return strings.Contains(strings.ToLower(text), part)
}
