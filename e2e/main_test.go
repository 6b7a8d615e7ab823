//go:build e2e

// Package e2e tests the bot as its users meet it: the real binary behind a real
// Synapse, spoken to through the client API only, once on SQLite and once on
// PostgreSQL.
package e2e

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"matrix-registration-bot/e2e/lab"
)

// Set up once, by TestMain. Tests find the sites, named after their databases,
// running and leave them so.
var (
	laboratory *lab.Lab
	postgres   *lab.Postgres
	sites      = map[string]*lab.Site{}
)

func TestMain(m *testing.M) { os.Exit(lab.Main(setUp, m.Run)) }

func setUp(ctx context.Context, l *lab.Lab) (err error) {
	laboratory = l
	if postgres, err = laboratory.StartPostgres(ctx); err != nil {
		return err
	}
	uri, err := postgres.NewDatabase(ctx, "bot")
	if err != nil {
		return err
	}
	for database, uri := range map[string]string{"sqlite": "", "postgres": uri} {
		sites[database], err = laboratory.NewSite(ctx, lab.SiteOptions{
			Name:        database,
			Admin:       "admin",
			DatabaseURI: uri,
			Init:        []string{"--local-users", "none"},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// onEachDatabase plays a scene on both sites, side by side. Each starts without
// any tokens.
func onEachDatabase(t *testing.T, play func(s *scene)) {
	t.Helper()
	for database := range sites {
		onDatabase(t, database, play)
	}
}

// onDatabase plays a scene that the other database can't have.
func onDatabase(t *testing.T, database string, play func(s *scene)) {
	t.Helper()
	site := sites[database]
	t.Run(database, func(t *testing.T) {
		t.Parallel()
		if err := errors.Join(revive(t.Context(), site), site.DeleteTokens(t.Context())); err != nil {
			t.Fatalf("setting the scene: %v", err)
		}
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("the bot's log:\n%s", site.Bot.Log())
			}
		})
		play(&scene{T: t, Site: site, name: sceneName(t)})
	})
}

// revive starts what a failed scene before left stopped.
func revive(ctx context.Context, site *lab.Site) error {
	if site == sites["postgres"] && !postgres.Running() {
		if err := postgres.Start(ctx); err != nil {
			return err
		}
	}
	if !site.Synapse.Running() {
		if err := site.Synapse.Start(ctx); err != nil {
			return err
		}
	}
	if !site.Bot.Running() {
		if err := site.Bot.Start(ctx); err != nil {
			return err
		}
	}
	return site.Settled(ctx)
}

// sceneName makes user names from the name of a test, so that every scene has
// people of its own.
func sceneName(t *testing.T) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(t.Name(), "Test"), "/")
	return strings.ToLower(name)
}
