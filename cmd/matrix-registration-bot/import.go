//go:build goolm

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/config"
	"matrix-registration-bot/oldbot"
	"matrix-registration-bot/store"
)

// importFlags are the flags of import: those of init, except that the old bot's
// files say the rest.
type importFlags struct {
	initFlags
	Config    string // the old bot's config.yml
	Allowlist string // its config.toml
	DryRun    bool
}

func importCommand(around *surroundings) *cobra.Command {
	var c importFlags
	command := subcommand("import", "Move over from the old Python bot: its settings, its lists and its account", func() error { return c.run(*around) })
	flags := command.Flags()
	flags.SortFlags = false
	flags.StringVarP(&c.Config, "config", "c", "", "the old bot's config `FILE` (default: $CONFIG_PATH, or else config.yml)")
	flags.StringVar(&c.Allowlist, "allowlist", "", "the `FILE` with the old bot's lists (default: config.toml in the folder of its config)")
	c.required(command)
	flags.StringVar(&c.URL, "url", "", "`URL` where the homeserver reaches the bot (required)")
	flags.StringVar(&c.Listen, "listen", "", "`HOST:PORT` where the bot listens for the homeserver (default: as --url says)")
	flags.BoolVar(&c.DryRun, "dry-run", false, "only say what would be done")
	c.optional(command)
	return command
}

// run writes config.yaml and registration.yaml and puts the old lists into the
// database. It says what it has understood, and what to do next.
func (c *importFlags) run(around surroundings) error {
	if err := c.complete(); err != nil {
		return err
	}
	found, err := c.settingsFound(around)
	if err != nil {
		return err
	}
	outcomes, err := c.listsFound(around)
	if err != nil {
		return err
	}
	folder, err := filepath.Abs(c.Dir)
	if err != nil {
		return fmt.Errorf("finding the folder %s: %w", c.Dir, err)
	}
	c.Homeserver = found.Value("bot.server")
	secrets, err := c.secrets(folder)
	if err != nil {
		return err
	}
	settings := c.settings(secrets)
	settings.LocalUsers = false // the old bot let in those on its list, and nobody else
	carried, err := carrySettings(found, &settings)
	if err != nil {
		return err
	}
	files, err := settings.files(folder)
	if err != nil {
		return blameFlags(err, c.origins())
	}
	report := importReport{settings: settings, Lines: carried, Outcomes: outcomes, DryRun: c.DryRun}
	if !c.DryRun {
		if err := replaceFiles(files); err != nil {
			return err
		}
		database, err := c.putList(folder, report.entries())
		if err != nil {
			return fmt.Errorf("putting the list into the database (%s and %s are written: try again with --force): %w", configFile, registrationFile, err)
		}
		report.Files = append([]string{files[0].path, files[1].path}, database...)
		report.Root = os.Geteuid() == 0
	}
	_, err = fmt.Fprint(around.stdout, report)
	return err
}

// complete checks what only the flags can show, and fills in the rest.
func (c *importFlags) complete() error {
	if c.URL == "" {
		return usageError{errors.New("missing flags: --url=URL (see --help)")}
	}
	if c.Listen == "" {
		c.Listen = listenFor(c.URL)
	}
	c.LocalUsers, c.Homeserver = "none", "of the old bot"
	return c.initFlags.complete()
}

// listenFor says where to listen so that the homeserver reaches the bot at an
// address.
func listenFor(address string) string {
	port, host := "29350", "0.0.0.0"
	if parsed, err := url.Parse(address); err == nil {
		port = cmp.Or(parsed.Port(), port)
		if ip := net.ParseIP(parsed.Hostname()); parsed.Hostname() == "localhost" || ip.IsLoopback() {
			host = "127.0.0.1"
		}
	}
	return net.JoinHostPort(host, port)
}

// origins says where the value of a key comes from.
func (c *importFlags) origins() map[string]string {
	origins := c.initFlags.origins()
	for key, old := range map[string]string{
		"homeserver.address": "bot.server",
		"bot.username":       "bot.username",
		"bot.prefix":         "bot.prefix",
		"api.base_url":       "api.base_url",
	} {
		origins[key] = old + " of the old bot"
	}
	return origins
}

// configPath is the old bot's config, and whether somebody has named it.
func (c *importFlags) configPath(around surroundings) (path string, named bool) {
	path = cmp.Or(c.Config, around.variable("CONFIG_PATH"))
	return cmp.Or(path, "config.yml"), path != ""
}

// settingsFound reads the old bot's config, which may be absent if the
// environment says everything.
func (c *importFlags) settingsFound(around surroundings) (oldbot.Settings, error) {
	path, named := c.configPath(around)
	content, err := os.ReadFile(path)
	absent := errors.Is(err, fs.ErrNotExist) && !named
	if err != nil && !absent {
		return nil, usageError{fmt.Errorf("the old bot's config: %w", err)}
	}
	found, err := oldbot.ReadSettings(path, content, around.environ)
	if err != nil {
		return nil, usageError{err}
	}
	for _, key := range []string{"bot.server", "bot.username"} {
		if found.Value(key) == "" {
			place := path
			if absent {
				place += " (no such file: --config names another)"
			}
			return nil, usageError{fmt.Errorf("%s of the old bot is missing, in %s and in the environment", key, place)}
		}
	}
	return found, nil
}

// listsFound reads the old bot's lists. It had none if there is no file: then it
// let everyone in.
func (c *importFlags) listsFound(around surroundings) ([]oldbot.Outcome, error) {
	oldConfig, _ := c.configPath(around)
	path := cmp.Or(c.Allowlist, filepath.Join(filepath.Dir(oldConfig), "config.toml"))
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && c.Allowlist == "" {
		return nil, nil
	} else if err != nil {
		return nil, usageError{fmt.Errorf("the old bot's lists: %w", err)}
	}
	lists, err := oldbot.ReadLists(path, content)
	if err != nil {
		return nil, usageError{err}
	}
	outcomes, err := lists.CarryOver()
	if err != nil {
		return nil, usageError{fmt.Errorf("%w\nNothing was written. Take the entry out of %s, and keep these people out with `disallow` when the bot runs", err, path)}
	}
	return outcomes, nil
}

// putList stores entries, and returns the files of the database.
func (c *importFlags) putList(folder string, entries []access.Entry) (files []string, err error) {
	uri := c.Database
	if path, isFile := config.SQLiteFile(uri, folder); isFile {
		uri, files = "sqlite:"+path, []string{path, path + ".lock"}
		// The unit's folder is not there before its first start.
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("making the folder: %w", err)
		}
	}
	ctx := context.Background()
	db, err := store.Open(uri, zerolog.Nop())
	if err != nil {
		return nil, err
	}
	defer db.Close()
	waiting, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	lock, err := db.Lock(waiting, zerolog.Nop())
	if err != nil {
		return nil, err
	}
	defer lock.Release()
	if err := db.Migrate(ctx); err != nil {
		return nil, err
	}
	err = db.Transact(ctx, func(ctx context.Context) error {
		for _, entry := range entries {
			entry.AddedBy, entry.AddedAt = id.UserID(c.Admin), time.Now()
			if err := db.PutEntry(ctx, entry); err != nil {
				return err
			}
		}
		return nil
	})
	return files, errors.Join(err, giveToFolder(files))
}

// giveToFolder gives files that root may have made to the owner of the folder that
// they are in, which is the user that runs the bot. systemd does so only when the
// folder is not that user's yet.
func giveToFolder(files []string) error {
	for _, path := range files {
		folder, err := os.Stat(filepath.Dir(path))
		if err != nil {
			return fmt.Errorf("looking whose folder it is: %w", err)
		}
		owner, ok := folder.Sys().(*syscall.Stat_t)
		if !ok || os.Geteuid() != 0 {
			continue
		}
		// Not what a link leads to: that user could have made one to any file.
		if err := os.Lchown(path, int(owner.Uid), int(owner.Gid)); err != nil {
			return fmt.Errorf("giving the database to the owner of its folder: %w", err)
		}
	}
	return nil
}
