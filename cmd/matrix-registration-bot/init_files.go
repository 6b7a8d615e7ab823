//go:build goolm

package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"gopkg.in/yaml.v3"

	"matrix-registration-bot/config"
)

// The texts of init; fill knows what their ${places} mean. The example files in
// the repository are made of the first two.
var (
	//go:embed config.yaml.tmpl
	configTemplate string
	//go:embed registration.yaml.tmpl
	registrationTemplate string
	//go:embed next-steps.tmpl
	nextStepsTemplate string
)

// Parts of them that are not always there.
const (
	localUsersPart = `
  # Everyone here may invite, within the limits; remove this or set it to none to close it.
  ${quote domain}: inviter`
	chownPart = `

   You are root now: make the user that will run the bot the owner of all files.

chown BOT_USER ${files}`
	startPart     = `matrix-registration-bot -c ${shell config} run`
	startUnitPart = `systemctl enable --now matrix-registration-bot`
)

// unitFolder is where the systemd unit finds the files, which stay root's.
const unitFolder = "/etc/matrix-registration-bot"

// fill puts values in the places of a text: ${name} as they are, ${yaml name}
// and ${quote name} as they are written in YAML (with quotes only where they
// are needed, and always), ${shell name} as in a shell.
func fill(text string, values map[string]string) string {
	return os.Expand(text, func(place string) string {
		how, name, quoted := strings.Cut(place, " ")
		if !quoted {
			how, name = "", place
		}
		if value, ok := values[name]; ok {
			switch how {
			case "":
				return value
			case "yaml":
				text, _ := yaml.Marshal(value) // fails for no text
				return strings.TrimSpace(string(text))
			case "quote":
				text, _ := json.Marshal(value) // JSON is YAML; fails for no text
				return string(text)
			case "shell":
				return shellWord(value)
			}
		}
		panic("init can't fill in ${" + place + "}") // the text is wrong
	})
}

// shellWord is how a text is written in a shell.
func shellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// plainWord needs no quotes in a shell.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9@%+=:,./_-]+$`)

// botUsername is the name that init gives the bot.
const botUsername = "registration-bot"

// settings are what goes into the files.
type settings struct {
	secrets
	Domain     string
	Homeserver string
	Admin      string
	Database   string
	Listen     string
	URL        string
	Username   string
	Prefix     string
	AdminAPI   string // URL; empty: that of the homeserver
	AdminToken string // empty: the bot is a server admin itself
	LogLevel   string
	LocalUsers bool // everyone on the server is an inviter
}

// UserID is the bot's.
func (s settings) UserID() string { return "@" + s.Username + ":" + s.Domain }

// Sender is the user that Synapse wants beside the bot.
func (s settings) Sender() string { return "_" + s.Username }

// Namespace matches the bot and nobody else.
func (s settings) Namespace() string { return "^" + regexp.QuoteMeta(s.UserID()) + "$" }

func (s settings) values() map[string]string {
	values := map[string]string{
		"as_token":    s.AsToken,
		"hs_token":    s.HsToken,
		"pickle_key":  s.PickleKey,
		"domain":      s.Domain,
		"homeserver":  s.Homeserver,
		"admin":       s.Admin,
		"database":    s.Database,
		"listen":      s.Listen,
		"url":         s.URL,
		"username":    s.Username,
		"prefix":      s.Prefix,
		"admin_api":   s.AdminAPI,
		"admin_token": s.AdminToken,
		"log_level":   s.LogLevel,
		"user_id":     s.UserID(),
		"sender":      s.Sender(),
		"namespace":   s.Namespace(),
		"local_users": "",
	}
	if s.LocalUsers {
		values["local_users"] = fill(localUsersPart, values)
	}
	return values
}

func (s settings) render(text string) []byte { return []byte(fill(text, s.values())) }

// files renders both files and reads them as the bot will, so that nothing
// wrong is ever written.
func (s settings) files(folder string) ([]file, error) {
	files := []file{
		{filepath.Join(folder, configFile), 0o600, s.render(configTemplate)},
		{filepath.Join(folder, registrationFile), 0o640, s.render(registrationTemplate)},
	}
	cfg, err := config.Parse(files[0].path, files[0].content, nil)
	if err != nil {
		return nil, err
	}
	reg, err := config.ParseRegistration(files[1].path, files[1].content)
	if err != nil {
		return nil, err
	}
	_, err = config.Check(cfg, reg) // its warnings are about what was asked for
	return files, err
}

// nextSteps is what the admin has to do after init.
type nextSteps struct {
	settings
	Files []string // paths of the config, the registration and whatever else was made
	Root  bool     // init ran as root
}

func (n nextSteps) String() string {
	values := n.values()
	values["config"], values["registration"], values["chown"] = n.Files[0], n.Files[1], ""
	values["start"] = fill(startPart, values)
	if filepath.Dir(n.Files[0]) == unitFolder {
		values["start"] = startUnitPart
	} else if n.Root {
		words := make([]string, len(n.Files))
		for i, path := range n.Files {
			words[i] = shellWord(path)
		}
		values["files"] = strings.Join(words, " ")
		values["chown"] = fill(chownPart, values)
	}
	return fill(nextStepsTemplate, values)
}

// file is a file to write.
type file struct {
	path    string
	mode    fs.FileMode
	content []byte
}

// replaceFiles writes all files beside their places and moves them there when
// nothing can go wrong any more: each is always whole.
func replaceFiles(files []file) error {
	written := make([]string, len(files))
	for i, f := range files {
		if err := os.MkdirAll(filepath.Dir(f.path), 0o755); err != nil { // #nosec G301 -- the homeserver has to get in too
			return fmt.Errorf("making the folder: %w", err)
		}
		name, err := f.writeBeside()
		if err != nil {
			return fmt.Errorf("writing %s: %w", f.path, err)
		}
		defer os.Remove(name) // gone already unless something fails
		written[i] = name
	}
	for i, f := range files {
		if err := os.Rename(written[i], f.path); err != nil {
			return fmt.Errorf("writing %s: %w", f.path, err)
		}
	}
	return nil
}

// writeBeside writes the content to a new file in the same folder. It goes to
// the owner and group of the file that it will replace, if possible, so that
// the homeserver still can read it.
func (f file) writeBeside() (name string, err error) {
	temporary, err := os.CreateTemp(filepath.Dir(f.path), "."+filepath.Base(f.path)+"-*")
	if err != nil {
		return "", err
	}
	if old, err := os.Stat(f.path); err == nil {
		if owner, ok := old.Sys().(*syscall.Stat_t); ok {
			_ = temporary.Chown(int(owner.Uid), int(owner.Gid)) // init prints the chgrp line anyway
		}
	}
	_, err = temporary.Write(f.content)
	err = errors.Join(err, temporary.Chmod(f.mode), temporary.Sync(), temporary.Close())
	if err != nil {
		_ = os.Remove(temporary.Name())
		return "", err
	}
	return temporary.Name(), nil
}
