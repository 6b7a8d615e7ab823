package doctor

import (
	"context"
	"fmt"
	"strings"
)

// files looks at who can read what holds secrets.
func files(_ context.Context, p *Patient) Finding {
	if open := p.Config.OpenToAll(); len(open) > 0 {
		return warning(
			fmt.Sprintf("Everybody on this machine can read %s, which holds secrets.", open[0]),
			fmt.Sprintf("chmod o= %s", open[0]))
	}
	if len(p.Config.Warnings) > 0 {
		return warning(strings.Join(p.Config.Warnings, " "), "See docs/configuration.md.")
	}
	return ok("The config is valid, and only its owner reads the secrets.")
}
