//go:build e2e

// Package crash ends the bot at every request and every commit of a command,
// starts it again, and checks that nothing was lost and nothing done twice.
//
// `make test` walks through all points on SQLite in a plain room, and through
// a quarter of them on PostgreSQL and in encrypted rooms, a different quarter
// for each; `make crash` walks through all of them everywhere.
package crash

import (
	"context"
	"flag"
	"os"
	"testing"

	"matrix-registration-bot/e2e/lab"
)

var everywhere = flag.Bool("everywhere", false, "walk through all points, not only a quarter, on PostgreSQL and in encrypted rooms too")

// Set up by TestMain: a bot for each database.
var (
	laboratory *lab.Lab
	stages     = map[string]*stage{}
)

// stage is a site whose bot can crash.
type stage struct {
	*lab.Site
	bot    *lab.CrashingBot
	ledger *lab.Ledger
	calls  *calls // of the bot
	names  int    // given so far
	looked bool   // the bot has looked for news before
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(lab.Main(setUp, m.Run))
}

func setUp(ctx context.Context, l *lab.Lab) error {
	laboratory = l
	postgres, err := laboratory.StartPostgres(ctx)
	if err != nil {
		return err
	}
	if err := postgres.StopVacuum(ctx); err != nil {
		return err
	}
	uri, err := postgres.NewDatabase(ctx, "bot")
	if err != nil {
		return err
	}
	for database, uri := range map[string]string{"sqlite": "", "postgres": uri} {
		s := &stage{}
		s.Site, err = laboratory.NewSite(ctx, lab.SiteOptions{Name: database, Admin: "admin", DatabaseURI: uri, Interval: "1s"})
		if err != nil {
			return err
		}
		if err := s.Bot.Stop(); err != nil {
			return err
		}
		if err := s.countCalls(); err != nil {
			return err
		}
		// A look for news at any time would change the names of other points.
		if err := s.Bot.EditConfig(newsOn, newsOff); err != nil {
			return err
		}
		if s.bot, err = laboratory.Crashing(ctx, s.Bot); err != nil {
			return err
		}
		if err := s.bot.Start(ctx); err != nil {
			return err
		}
		stages[database] = s
	}
	return nil
}
