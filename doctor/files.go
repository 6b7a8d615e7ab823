package doctor

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// files looks at who can read what holds secrets.
func files(_ context.Context, p *Patient) Finding {
	paths := []string{p.Config.Appservice.Registration}
	if p.ConfigFile != "" {
		paths = append(paths, p.ConfigFile)
	}
	if path, isFile := strings.CutPrefix(p.Config.Database.URI, "sqlite:"); isFile {
		paths = append(paths, path)
	}
	for _, path := range paths {
		info, err := os.Stat(path)
		if err == nil && info.Mode().Perm()&0o007 != 0 {
			return warning(
				fmt.Sprintf("Everybody on this machine can read %s, which holds secrets.", path),
				fmt.Sprintf("chmod o= %s", path))
		}
	}
	if len(p.Config.Warnings) > 0 {
		return warning(strings.Join(p.Config.Warnings, " "), "See docs/configuration.md.")
	}
	return ok("The config is valid, and only its owner reads the secrets.")
}
