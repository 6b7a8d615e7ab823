package doctor

import (
	"context"
	"fmt"
	"net/http"
)

// botUser looks whether the homeserver lets the appservice speak as the bot.
func botUser(ctx context.Context, p *Patient) Finding {
	bot := p.Config.BotUserID()
	a, err := p.call(ctx, http.MethodGet, p.homeserver(), "/_matrix/client/v3/account/whoami", nil, true, nil)
	switch {
	case err != nil:
		return problem(fmt.Sprintf("The homeserver can't be asked: %v.", err), "See the check of the homeserver.")
	case a.status == http.StatusOK:
		return ok(fmt.Sprintf("The bot's user is %s.", bot))
	case a.errcode == "M_UNKNOWN_TOKEN":
		return problem("The homeserver does not know the as_token.", "See the check of the server name.")
	case a.errcode == "M_FORBIDDEN" && mentions(a.words, "not registered"):
		return warning(fmt.Sprintf("%s does not exist yet.", bot), "Start the bot once: it registers its user.")
	case a.errcode == "M_EXCLUSIVE" || a.errcode == "M_FORBIDDEN":
		return problem(
			fmt.Sprintf("The homeserver does not let the appservice speak as %s: %s.", bot, a.words),
			"Compare bot.username and homeserver.domain with namespaces.users in the registration.yaml that the homeserver has loaded; restart it after a change.")
	}
	return problem(fmt.Sprintf("Asking for %s failed: HTTP %d %s.", bot, a.status, a.words), "See the homeserver's log.")
}
