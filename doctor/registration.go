package doctor

import (
	"context"
	"strings"

	"matrix-registration-bot/config"
)

// registration compares registration.yaml with the config.
func registration(_ context.Context, p *Patient) Finding {
	warnings, err := config.Check(p.Config, p.Registration)
	switch {
	case err != nil:
		return problem(err.Error(), "Mend registration.yaml, then restart the homeserver and the bot.")
	case len(warnings) > 0:
		return warning(strings.Join(warnings, " "), "Mend registration.yaml, then restart the homeserver and the bot.")
	}
	return ok("registration.yaml fits the config.")
}
