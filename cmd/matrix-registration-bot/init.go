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

	"matrix-registration-bot/config"
)

// The files that init writes.
const (
	configFile       = "config.yaml"
	registrationFile = "registration.yaml"
)

// initCmd writes the two files that the bot needs.
type initCmd struct {
	Domain     string `required:"" placeholder:"NAME" help:"Server name: the part after the colon in user ids."`
	Homeserver string `required:"" placeholder:"URL" help:"The client-server API as the bot reaches it, like http://localhost:8008."`
	Admin      string `required:"" placeholder:"@USER:NAME" help:"The first admin of the bot."`
	Database   string `placeholder:"URI" default:"sqlite:registration-bot.db" help:"sqlite:FILE or postgres://user:password@host/database (default: ${default})."`
	Listen     string `placeholder:"HOST:PORT" default:"127.0.0.1:29350" help:"Where the bot listens for the homeserver (default: ${default})."`
	URL        string `placeholder:"URL" help:"Where the homeserver reaches the bot (default: http:// and the address of --listen)."`
	LocalUsers string `enum:"inviter,none" default:"inviter" help:"What everyone on the server may do: inviter or none (default: ${default})."`
	Dir        string `placeholder:"DIR" default:"." help:"Where to write the files (default: here)."`
	Force      bool   `help:"Overwrite the files that are there. Their secrets are kept."`
	NewSecrets bool   `help:"With --force: make new secrets too. Refused while a database exists."`
}

// Run writes config.yaml and registration.yaml and says what to do next.
func (c *initCmd) Run(around surroundings) error {
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
	return nextStepsTemplate.Execute(around.stdout, nextSteps{
		settings:     settings,
		Config:       filepath.Join(folder, configFile),
		Registration: filepath.Join(folder, registrationFile),
		AdminAPI:     strings.TrimRight(c.Homeserver, "/") + "/_synapse/admin/v2/users/" + url.PathEscape(settings.UserID()),
		Root:         os.Geteuid() == 0,
	})
}

// complete checks what only the flags can show, and fills in the rest.
func (c *initCmd) complete() error {
	if !strings.HasPrefix(c.Admin, "@") {
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

func (c *initCmd) settings(s secrets) settings {
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
func (c *initCmd) files(folder string, s settings) ([]file, error) {
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
func (c *initCmd) blameFlags(err error) error {
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
