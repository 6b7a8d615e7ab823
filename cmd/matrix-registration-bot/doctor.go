//go:build goolm

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/chat"
	"matrix-registration-bot/config"
	"matrix-registration-bot/doctor"
	"matrix-registration-bot/store"
	"matrix-registration-bot/tokens"
)

// doctorCommand tells an admin what is wrong, and what to do.
func doctorCommand(around *surroundings) *cobra.Command {
	var asJSON bool
	line := subcommand("doctor", "Look for mistakes in the installation, and say how to mend them", func() error {
		return examine(around, asJSON)
	})
	line.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return line
}

// errProblems ends doctor when it has found some.
var errProblems = errors.New("there are problems")

func examine(around *surroundings, asJSON bool) error {
	cfg, err := config.Load(around.configPath, around.environ)
	if err != nil {
		return err
	}
	reg, err := config.LoadRegistration(cfg.Appservice.Registration)
	if err != nil {
		return err
	}
	client := newHTTPClient()
	server, err := tokens.New(tokensConfig(cfg, reg, client))
	if err != nil {
		return err
	}
	findings := doctor.Examine(context.Background(), newPatient(cfg, reg, server, client, nil))
	_ = closeTokens(server) // what was found counts
	if asJSON {
		err = json.NewEncoder(around.stdout).Encode(findings)
	} else {
		err = printFindings(around.stdout, findings)
	}
	if err == nil && !doctor.Sound(findings) {
		err = errProblems
	}
	return err
}

// checkUp makes doctor's checks once the bot works, and logs a line for each.
func (a *app) checkUp(ctx context.Context) {
	for !a.bot.Working() {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
	log := part(a.log, "doctor")
	for _, f := range doctor.Examine(ctx, newPatient(a.cfg, a.reg, a.tokenAPI.server, newHTTPClient(), a.db)) {
		line := log.Info()
		if f.State != doctor.OK {
			line = log.Warn().Str("do", f.Do)
		}
		line.Str("check", f.Check).Msg(f.Text)
	}
}

// newPatient prepares an installation to be looked at, through the running bot's
// database if db is that.
func newPatient(cfg *config.Config, reg *config.Registration, server tokens.Server, client *http.Client, db *store.DB) *doctor.Patient {
	return &doctor.Patient{
		Config: cfg, ConfigFile: cfg.File(), Registration: reg, Tokens: server, HTTP: client,
		Database: doctorsDatabase{cfg, db}, Now: time.Now,
	}
}

// printFindings writes a line for each check, and below it what to do.
func printFindings(out io.Writer, findings []doctor.Finding) error {
	for _, f := range findings {
		if _, err := fmt.Fprintf(out, "%-8s %-13s %s\n", f.State, f.Check, f.Text); err != nil {
			return err
		}
		if f.Do == "" {
			continue
		}
		if _, err := fmt.Fprintf(out, "%23s%s\n", "-> ", strings.ReplaceAll(f.Do, "\n", "\n"+strings.Repeat(" ", 23))); err != nil {
			return err
		}
	}
	return nil
}

// doctorsDatabase looks at the bot's database without changing it.
type doctorsDatabase struct {
	cfg *config.Config
	db  *store.DB // that of the running bot; nil: opened for each look
}

func (d doctorsDatabase) open() (db *store.DB, done func(), err error) {
	if d.db != nil {
		return d.db, func() {}, nil
	}
	if db, err = store.OpenExisting(d.cfg.Database.URI, zerolog.Nop()); err != nil {
		return nil, nil, err
	}
	return db, func() { _ = db.Close() }, nil
}

// Look implements doctor.Database.
func (d doctorsDatabase) Look(ctx context.Context) (exists bool, err error) {
	db, done, err := d.open()
	if errors.Is(err, store.ErrMissing) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer done()
	return db.Look(ctx)
}

// Held implements doctor.Database.
func (d doctorsDatabase) Held(ctx context.Context) (bool, error) {
	db, done, err := d.open()
	if err != nil {
		return false, err
	}
	defer done()
	return db.Held(ctx)
}

// Device implements doctor.Database.
func (d doctorsDatabase) Device(ctx context.Context) (string, error) {
	db, done, err := d.open()
	if errors.Is(err, store.ErrMissing) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	defer done()
	f, err := chat.ReadFingerprint(ctx, db, id.UserID(d.cfg.BotUserID()), d.cfg.Encryption.PickleKey)
	if errors.Is(err, chat.ErrNoDevice) {
		return "", nil
	}
	return f.DeviceID, err
}
