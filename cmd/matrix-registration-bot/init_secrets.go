//go:build goolm

package main

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gopkg.in/yaml.v3"

	"matrix-registration-bot/config"
)

// secrets are what nobody else may know.
type secrets struct {
	AsToken   string
	HsToken   string
	PickleKey string
}

// installation is what an earlier init left in a folder.
type installation struct {
	exists bool // at least one of the two files
	secrets
	database string // URI; empty = not known
}

// findInstallation reads leniently, because --force is also there to replace
// what an older program wrote.
func findInstallation(folder string) (installation, error) {
	var found installation
	var cfg struct {
		Database struct {
			URI string `yaml:"uri"`
		} `yaml:"database"`
		Encryption struct {
			PickleKey string `yaml:"pickle_key"`
		} `yaml:"encryption"`
	}
	var reg struct {
		AsToken string `yaml:"as_token"`
		HsToken string `yaml:"hs_token"`
	}
	for name, into := range map[string]any{configFile: &cfg, registrationFile: &reg} {
		path := filepath.Join(folder, name)
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		found.exists = true
		if err == nil {
			err = yaml.Unmarshal(data, into)
		}
		if err != nil {
			return found, fmt.Errorf("looking for the secrets of %s (mend or remove it): %w", path, err)
		}
	}
	found.secrets = secrets{AsToken: reg.AsToken, HsToken: reg.HsToken, PickleKey: cfg.Encryption.PickleKey}
	found.database = cfg.Database.URI
	return found, nil
}

// secrets are those of the files that are overwritten, or new ones.
func (c *initFlags) secrets(folder string) (secrets, error) {
	old, err := findInstallation(folder)
	if err != nil {
		return secrets{}, err
	}
	if old.exists && !c.Force {
		return secrets{}, usageError{fmt.Errorf("%s holds a %s or %s already: --force overwrites them and keeps their secrets", folder, configFile, registrationFile)}
	}
	kept := old.secrets
	if c.NewSecrets {
		kept = secrets{}
	}
	if kept.PickleKey == "" {
		if err := c.refuseNewPickleKey(folder, old); err != nil {
			return secrets{}, err
		}
	}
	return secrets{
		AsToken:   cmp.Or(kept.AsToken, newSecret()),
		HsToken:   cmp.Or(kept.HsToken, newSecret()),
		PickleKey: cmp.Or(kept.PickleKey, newSecret()),
	}, nil
}

// refuseNewPickleKey returns an error if there is, or may be, a database whose
// keys only the old pickle key opens.
func (c *initFlags) refuseNewPickleKey(folder string, old installation) error {
	for _, uri := range []string{old.database, c.Database} {
		path, isFile := config.SQLiteFile(uri, folder)
		switch {
		case isFile:
			if _, err := os.Stat(path); err == nil {
				return usageError{fmt.Errorf("no new secrets while the database %s exists, as its keys would be lost: remove it first, or keep the old %s and its pickle_key", path, configFile)}
			}
		case uri != "" && old.exists:
			return usageError{fmt.Errorf("no new secrets, as the PostgreSQL database may hold keys that would be lost: if it holds none, remove %s and %s first", configFile, registrationFile)}
		}
	}
	return nil
}

// newSecret draws a text of 260 random bits.
func newSecret() string { return rand.Text() + rand.Text() }
