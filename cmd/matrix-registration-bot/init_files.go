//go:build goolm

package main

import (
	"bytes"
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
	"text/template"

	"gopkg.in/yaml.v3"
)

// The texts of init. The example files in the repository are made of the first
// two.
var (
	//go:embed config.yaml.tmpl
	configText string
	//go:embed registration.yaml.tmpl
	registrationText string
	//go:embed next-steps.tmpl
	nextStepsText string

	configTemplate       = parseTemplate(configText)
	registrationTemplate = parseTemplate(registrationText)
	nextStepsTemplate    = parseTemplate(nextStepsText)
)

// parseTemplate knows how values are written in YAML (yaml with quotes only
// where they are needed, quote always) and in a shell.
func parseTemplate(text string) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{
		"yaml": func(value string) (string, error) {
			text, err := yaml.Marshal(value)
			return strings.TrimSpace(string(text)), err
		},
		"quote": func(value string) (string, error) {
			text, err := json.Marshal(value) // JSON is YAML
			return string(text), err
		},
		"shell": func(value string) string {
			if plainWord.MatchString(value) {
				return value
			}
			return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
		},
	}).Parse(text))
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
	LocalUsers bool // everyone on the server is an inviter
}

// UserID is the bot's.
func (s settings) UserID() string { return "@" + s.Username + ":" + s.Domain }

// Sender is the user that Synapse wants beside the bot.
func (s settings) Sender() string { return "_" + s.Username }

// Namespace matches the bot and nobody else.
func (s settings) Namespace() string { return "^" + regexp.QuoteMeta(s.UserID()) + "$" }

func (s settings) render(t *template.Template) []byte {
	var out bytes.Buffer
	if err := t.Execute(&out, s); err != nil {
		panic(err) // the template is wrong
	}
	return out.Bytes()
}

// nextSteps is what the admin has to do after init.
type nextSteps struct {
	settings
	Config       string // path
	Registration string // path
	AdminAPI     string // URL that makes the bot a server admin
	Root         bool   // init ran as root
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
