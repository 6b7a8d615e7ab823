package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
)

// defaultPath is the config file if neither -c nor CONFIG_PATH names one.
const defaultPath = "config.yaml"

// Load reads the config file, puts the environment ("NAME=value" entries) over
// it and checks the outcome. An empty path means CONFIG_PATH of the
// environment, or else config.yaml. The file may be absent if the environment
// says enough. Relative paths in the config start at the folder of the file.
//
// If anything is wrong the error is an *Error that names all of it.
func Load(path string, environ []string) (*Config, error) {
	if path == "" {
		path = newEnvironment(environ)["CONFIG_PATH"]
	}
	if path == "" {
		path = defaultPath
	}
	data, err := os.ReadFile(path)
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return nil, &Error{Problems: []Problem{{Place: path, Text: "can't be read: " + err.Error()}}}
	}
	cfg, err := Parse(path, data, environ)
	var wrong *Error
	if absent && errors.As(err, &wrong) {
		wrong.Problems = append([]Problem{{
			Place: path, Text: "no such file: `init` writes one, or the environment must set all that is needed",
		}}, wrong.Problems...)
	}
	return cfg, err
}

// Parse is Load for the content of a file that is known already.
func Parse(path string, data []byte, environ []string) (*Config, error) {
	cfg := defaults()
	env := newEnvironment(environ)
	d := decoder{findings: findings{file: path, places: map[string]place{}}, explain: explainOld}
	d.document(data, reflect.ValueOf(&cfg).Elem())
	cfg.FromEnvironment = d.override(env, reflect.ValueOf(&cfg).Elem())
	cfg.Warnings = env.forgotten()
	cfg.found = d.findings
	cfg.normalize(filepath.Dir(path))
	cfg.check()
	if err := cfg.found.err(); err != nil {
		return nil, err
	}
	return &cfg, nil
}

// normalize brings values that can be written in several ways into one.
func (c *Config) normalize(folder string) {
	c.Homeserver.Address = strings.TrimRight(c.Homeserver.Address, "/")
	c.API.BaseURL = strings.TrimRight(c.API.BaseURL, "/")
	c.Logging.Level = strings.ToLower(c.Logging.Level)
	if c.Logging.Level == "warning" { // as the old Python bot had it
		c.Logging.Level = "warn"
	}
	c.Appservice.Registration = from(folder, c.Appservice.Registration)
	if path, isFile := SQLiteFile(c.Database.URI, folder); isFile {
		c.Database.URI = "sqlite:" + path
	}
}

// SQLiteFile returns the file that the value of database.uri names; isFile is
// false if that is no SQLite database. Two slashes before the file mean nothing,
// and a relative one starts at folder, if that is not empty.
func SQLiteFile(uri, folder string) (path string, isFile bool) {
	path, isFile = strings.CutPrefix(uri, "sqlite:")
	if !isFile {
		return "", false
	}
	return from(folder, strings.TrimPrefix(path, "//")), true
}

// from makes a path start at a folder, unless it is absolute or empty.
func from(folder, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}
