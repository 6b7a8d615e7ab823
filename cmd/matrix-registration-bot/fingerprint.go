//go:build goolm

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/chat"
	"matrix-registration-bot/config"
	"matrix-registration-bot/store"
)

func fingerprintCommand(around *surroundings) *cobra.Command {
	return subcommand("fingerprint", "Print the keys by which people recognise the bot in encrypted chats", func() error { return printFingerprint(*around) })
}

// printFingerprint reads the keys from the database; the bot may be running.
func printFingerprint(around surroundings) error {
	cfg, err := config.Load(around.configPath, around.environ)
	if err != nil {
		return err
	} else if !cfg.Encryption.Enabled {
		return usageError{errors.New("encryption.enabled is false: the bot has no keys")}
	}
	db, err := store.OpenExisting(cfg.Database.URI, zerolog.Nop())
	if errors.Is(err, store.ErrMissing) {
		return chat.ErrNoDevice
	} else if err != nil {
		return cfg.Wrong("database.uri", "%v", err)
	}
	defer db.Close()
	print, err := chat.ReadFingerprint(context.Background(), db, id.UserID(cfg.BotUserID()), cfg.Encryption.PickleKey)
	if errors.Is(err, chat.ErrWrongPickleKey) {
		return cfg.Wrong("encryption.pickle_key", "%v", err)
	} else if err != nil {
		return err
	}
	if print.MasterKey == "" {
		print.MasterKey = "none that the device is signed with, see docs/encryption.md"
	}
	_, err = fmt.Fprintf(around.stdout, "user id:     %s\ndevice id:   %s\ndevice key:  %s\nmaster key:  %s\n",
		cfg.BotUserID(), print.DeviceID, print.DeviceKey, print.MasterKey)
	return err
}
