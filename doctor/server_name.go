package doctor

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
)

// serverName asks the homeserver for the appservice's own sender, whose user id
// ends in the true server name.
func serverName(ctx context.Context, p *Patient) Finding {
	a, err := p.ask(ctx, http.MethodGet, p.homeserver(), "/_matrix/client/v3/account/whoami", nil, true, nil)
	if err != nil {
		return problem(fmt.Sprintf("The homeserver can't be asked: %v.", err), "See the check of the homeserver.")
	}
	if a.errcode == "M_UNKNOWN_TOKEN" {
		return problem("The homeserver does not know the as_token: it has not loaded this registration.yaml.", loadRegistration(ctx, p))
	}
	var who struct {
		UserID string `json:"user_id"`
	}
	if a.status != http.StatusOK || a.into(&who) != nil {
		return warning(fmt.Sprintf("The homeserver does not tell its server name: HTTP %d %s.", a.status, a.words), "See its log.")
	}
	_, name, _ := strings.Cut(who.UserID, ":")
	if name != p.Config.Homeserver.Domain {
		return problem(
			fmt.Sprintf("The homeserver's server name is %s, not %s.", name, p.Config.Homeserver.Domain),
			fmt.Sprintf("Set homeserver.domain: %s, and the same in namespaces.users of registration.yaml.", name))
	}
	return ok(fmt.Sprintf("The server name is %s, and the homeserver has loaded the registration.", name))
}

// loadRegistration is the cure when the homeserver does not know the bot.
func loadRegistration(ctx context.Context, p *Patient) string {
	path, err := filepath.Abs(p.Config.Appservice.Registration)
	if err != nil {
		path = p.Config.Appservice.Registration
	}
	if p.isDendrite(ctx) {
		return fmt.Sprintf("Put this into dendrite.yaml, see that the homeserver can read the file, and restart it:\n"+
			"app_service_api:\n  config_files:\n    - %s", path)
	}
	return fmt.Sprintf("Put this into homeserver.yaml, see that the homeserver can read the file, and restart it:\n"+
		"app_service_config_files:\n  - %s", path)
}
