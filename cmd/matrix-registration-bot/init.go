//go:build goolm

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"matrix-registration-bot/config"
)

// The files that init writes.
const (
	configFile       = "config.yaml"
	registrationFile = "registration.yaml"
)

// initFlags are the flags of init.
type initFlags struct {
	Domain     string
	Homeserver string
	Admin      string
	Database   string
	Listen     string
	URL        string
	LocalUsers string
	Dir        string
	Force      bool
	NewSecrets bool
}

func initCommand(around *surroundings) *cobra.Command {
	var c initFlags
	command := subcommand("init", "Write config.yaml and registration.yaml, and say what to do with them", func() error { return c.run(*around) })
	flags := command.Flags()
	flags.SortFlags = false
	c.required(command)
	flags.StringVar(&c.Homeserver, "homeserver", "", "`URL` of the client-server API as the bot reaches it, like http://localhost:8008 (required)")
	flags.StringVar(&c.Listen, "listen", "127.0.0.1:29350", "`HOST:PORT` where the bot listens for the homeserver")
	flags.StringVar(&c.URL, "url", "", "`URL` where the homeserver reaches the bot (default: http:// and the address of --listen)")
	flags.StringVar(&c.LocalUsers, "local-users", "inviter", "`ROLE` of everyone on the server: inviter or none")
	c.optional(command)
	flags.BoolVar(&c.NewSecrets, "new-secrets", false, "with --force: make new secrets too; refused while a database exists")
	return command
}

// required and optional are flags that init shares with import.
func (c *initFlags) required(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&c.Domain, "domain", "", "server `NAME`: the part after the colon in user ids (required)")
	flags.StringVar(&c.Admin, "admin", "", "first admin of the bot, `@USER:NAME` (required)")
}

func (c *initFlags) optional(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&c.Database, "database", "sqlite:registration-bot.db", "database `URI`: sqlite:FILE or postgres://user:password@host/database")
	flags.StringVar(&c.Dir, "dir", ".", "`DIR` to write the files to")
	flags.BoolVar(&c.Force, "force", false, "overwrite the files that are there; their secrets are kept")
}

// run writes config.yaml and registration.yaml and says what to do next.
func (c *initFlags) run(around surroundings) error {
	if around.configPath != "" {
		return usageError{errors.New("init takes no -c: it writes config.yaml into --dir")}
	}
	if err := c.complete(); err != nil {
		return err
	}
	folder, err := filepath.Abs(c.Dir)
	if err != nil {
		return fmt.Errorf("finding the folder %s: %w", c.Dir, err)
	}
	secrets, err := c.secrets(folder)
	if err != nil {
		return err
	}
	settings := c.settings(secrets)
	files, err := settings.files(folder)
	if err != nil {
		return blameFlags(err, c.origins())
	}
	if err := replaceFiles(files); err != nil {
		return err
	}
	_, err = fmt.Fprint(around.stdout, nextSteps{
		settings: settings,
		Files:    []string{files[0].path, files[1].path},
		Root:     os.Geteuid() == 0,
	})
	return err
}

// complete checks what only the flags can show, and fills in the rest.
func (c *initFlags) complete() error {
	var missing []string
	for _, flag := range []struct{ usage, value string }{
		{"--admin=@USER:NAME", c.Admin}, {"--domain=NAME", c.Domain}, {"--homeserver=URL", c.Homeserver},
	} {
		if flag.value == "" {
			missing = append(missing, flag.usage)
		}
	}
	switch {
	case missing != nil:
		return usageError{fmt.Errorf("missing flags: %s (see --help)", strings.Join(missing, ", "))}
	case c.LocalUsers != "inviter" && c.LocalUsers != "none":
		return usageError{fmt.Errorf(`--local-users must be one of "inviter","none" but got %q (see --help)`, c.LocalUsers)}
	case !strings.HasPrefix(c.Admin, "@"):
		return usageError{fmt.Errorf("--admin: %q is not a user id like @anna:%s", c.Admin, c.Domain)}
	}
	if c.URL == "" {
		host, _, err := net.SplitHostPort(c.Listen)
		if ip := net.ParseIP(host); err == nil && (host == "" || ip.IsUnspecified()) {
			return usageError{fmt.Errorf("--url: is needed, as %s does not say where the homeserver reaches the bot", c.Listen)}
		}
		c.URL = "http://" + c.Listen
	}
	return nil
}

func (c *initFlags) settings(s secrets) settings {
	return settings{
		secrets:    s,
		Domain:     c.Domain,
		Homeserver: c.Homeserver,
		Admin:      c.Admin,
		Database:   c.Database,
		Listen:     c.Listen,
		URL:        c.URL,
		Username:   botUsername,
		Prefix:     "!reg",
		LogLevel:   "info",
		LocalUsers: c.LocalUsers == "inviter",
	}
}

// origins says which flag the value of a key comes from.
func (c *initFlags) origins() map[string]string {
	return map[string]string{
		"homeserver.domain":      "--domain",
		"homeserver.address":     "--homeserver",
		"permissions." + c.Admin: "--admin",
		"database.uri":           "--database",
		"appservice.listen":      "--listen",
		"url":                    "--url",
	}
}

// blameFlags says of which flags a problem in the files comes.
func blameFlags(err error, origins map[string]string) error {
	var wrong *config.Error
	if !errors.As(err, &wrong) {
		return err
	}
	var lines []string
	for _, p := range wrong.Problems {
		if origin := origins[p.Key]; origin != "" {
			lines = append(lines, origin+": "+p.Text)
		}
	}
	if lines == nil {
		return err
	}
	return usageError{errors.New(strings.Join(lines, "\n"))}
}
