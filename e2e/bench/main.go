// Bench measures how long the bot takes to answer, and compares that with what
// the homeserver itself needs to carry the messages and to make the tokens. All of
// it is measured in turns in one run, so that both meet the same machine; the
// ratios are what counts.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"

	"matrix-registration-bot/e2e/lab"
)

// burst is how many commands are given at once.
const burst = 50

func main() {
	rounds := flag.Int("rounds", 50, "how often each is measured")
	flag.Parse()
	lab.Run(func(ctx context.Context, l *lab.Lab) error { return run(ctx, l, *rounds) })
}

func run(ctx context.Context, l *lab.Lab, rounds int) error {
	postgres, err := l.StartPostgres(ctx)
	if err != nil {
		return err
	}
	uri, err := postgres.NewDatabase(ctx, "bot")
	if err != nil {
		return err
	}
	fmt.Printf("Medians of %d, %d cores, %s.\n", rounds, runtime.NumCPU(), runtime.Version())
	for _, database := range []lab.SiteOptions{
		{Name: "SQLite", Admin: "admin"},
		{Name: "PostgreSQL", Admin: "admin", DatabaseURI: uri},
	} {
		if err := bench(ctx, l, database, rounds); err != nil {
			return fmt.Errorf("%s: %w", database.Name, err)
		}
	}
	return nil
}

// bench measures a bot on one kind of database.
func bench(ctx context.Context, l *lab.Lab, options lab.SiteOptions, rounds int) error {
	site, err := l.NewSite(ctx, options)
	if err != nil {
		return err
	}
	defer func() {
		_ = site.Bot.Stop()
		site.Synapse.Stop()
	}()
	plain, sealed, err := gather(ctx, l, site)
	if err != nil {
		return err
	}
	l.Announce("Measuring (%s)", options.Name)
	m := &measurement{site: site, times: make(map[string]durations)}
	for range warmUp {
		if err := m.round(ctx, plain, sealed); err != nil {
			return err
		}
	}
	clear(m.times)
	for range rounds {
		if err := m.round(ctx, plain, sealed); err != nil {
			return err
		}
	}
	for range bursts {
		if err := m.bursts(ctx, plain); err != nil {
			return err
		}
		if err := m.bursts(ctx, sealed); err != nil {
			return err
		}
	}
	m.print(os.Stdout, options.Name)
	return nil
}
