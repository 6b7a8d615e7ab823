//go:build goolm

package main

import (
	"errors"
	"fmt"
	"net"
	"net/url"
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
	flags.StringVar(&c.Domain, "domain", "", "server `NAME`: the part after the colon in user ids (required)")
	flags.StringVar(&c.Homeserver, "homeserver", "", "`URL` of the client-server API as the bot reaches it, like http://localhost:8008 (required)")
	flags.StringVar(&c.Admin, "admin", "", "first admin of the bot, `@USER:NAME` (required)")
	flags.StringVar(&c.Database, "database", "sqlite:registration-bot.db", "database `URI`: sqlite:FILE or postgres://user:password@host/database")
	flags.StringVar(&c.Listen, "listen", "127.0.0.1:29350", "`HOST:PORT` where the bot listens for the homeserver")
	flags.StringVar(&c.URL, "url", "", "`URL` where the homeserver reaches the bot (default: http:// and the address of --listen)")
	flags.StringVar(&c.LocalUsers, "local-users", "inviter", "`ROLE` of everyone on the server: inviter or none")
	flags.StringVar(&c.Dir, "dir", ".", "`DIR` to write the files to")
	flags.BoolVar(&c.Force, "force", false, "overwrite the files that are there; their secrets are kept")
	flags.BoolVar(&c.NewSecrets, "new-secrets", false, "with --force: make new secrets too; refused while a database exists")
	return command
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
	files, err := c.files(folder, settings)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil { // the homeserver has to get in too
		return fmt.Errorf("making the folder: %w", err)
	}
	if err := replaceFiles(files); err != nil {
		return err
	}
	_, err = fmt.Fprint(around.stdout, nextSteps{
		settings:     settings,
		Config:       filepath.Join(folder, configFile),
		Registration: filepath.Join(folder, registrationFile),
		AdminAPI:     strings.TrimRight(c.Homeserver, "/") + "/_synapse/admin/v2/users/" + url.PathEscape(settings.UserID()),
		Root:         os.Geteuid() == 0,
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
		LocalUsers: c.LocalUsers == "inviter",
	}
}

// files renders both files and reads them as the bot will, so that nothing
// wrong is ever written.
func (c *initFlags) files(folder string, s settings) ([]file, error) {
	files := []file{
		{filepath.Join(folder, configFile), 0o600, s.render(configTemplate)},
		{filepath.Join(folder, registrationFile), 0o640, s.render(registrationTemplate)},
	}
	cfg, err := config.Parse(files[0].path, files[0].content, nil)
	if err != nil {
		return nil, c.blameFlags(err)
	}
	reg, err := config.ParseRegistration(files[1].path, files[1].content)
	if err != nil {
		return nil, c.blameFlags(err)
	}
	_, err = config.Check(cfg, reg) // its warnings are about what the flags ask for
	return files, err
}

// blameFlags says of which flags a problem in the files comes.
func (c *initFlags) blameFlags(err error) error {
	flags := map[string]string{
		"homeserver.domain":      "--domain",
		"homeserver.address":     "--homeserver",
		"permissions." + c.Admin: "--admin",
		"database.uri":           "--database",
		"appservice.listen":      "--listen",
		"url":                    "--url",
	}
	var wrong *config.Error
	if !errors.As(err, &wrong) {
		return err
	}
	var lines []string
	for _, p := range wrong.Problems {
		if flag := flags[p.Key]; flag != "" {
			lines = append(lines, flag+": "+p.Text)
		}
	}
	if lines == nil {
		return err
	}
	return usageError{errors.New(strings.Join(lines, "\n"))}
}
