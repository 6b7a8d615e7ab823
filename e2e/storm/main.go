// Storm kills the bot with -9 at random moments while several people give it
// commands in several rooms, plain and encrypted. Then it counts: every command
// must have had its effect exactly once and its answer exactly once. No secret may
// stand in the bot's log.
//
// The seed decides what people say and when the bot is killed; what comes to
// meet what is up to the machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"

	"matrix-registration-bot/e2e/lab"
)

func main() {
	kills := flag.Int("kills", 200, "how often the bot is killed")
	seed := flag.Uint64("seed", 0, "of all that is random; 0 = another one each time")
	database := flag.String("database", "sqlite", "sqlite or postgres")
	flag.Parse()
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fmt.Printf("storm: %d kills on %s, SEED=%d\n", *kills, *database, *seed)
	if err := run(ctx, *kills, *seed, *database); err != nil {
		fmt.Fprintf(os.Stderr, "storm: failed with SEED=%d: %v\n", *seed, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kills int, seed uint64, database string) error {
	l, err := lab.Open(os.Stdout)
	if err != nil {
		return err
	}
	defer l.Close()
	options := lab.SiteOptions{Name: "storm", Admin: "admin"}
	switch database {
	case "sqlite":
	case "postgres":
		postgres, err := l.StartPostgres(ctx)
		if err != nil {
			return err
		}
		if options.DatabaseURI, err = postgres.NewDatabase(ctx, "bot"); err != nil {
			return err
		}
	default:
		return fmt.Errorf("there is no database %q", database)
	}
	site, err := l.NewSite(ctx, options)
	if err != nil {
		return err
	}
	voices, err := gather(ctx, l, site, seed)
	if err != nil {
		return err
	}
	storm := &storm{site: site, random: rand.New(rand.NewPCG(seed, 0)), kills: kills}
	err = storm.rage(ctx, voices)
	if err == nil {
		err = settle(ctx, site, voices)
	}
	if err == nil {
		err = account(ctx, site, voices)
	}
	if err == nil {
		err = l.SearchLogs(ctx)
	}
	fmt.Println(storm.summary(voices))
	if err != nil {
		// What is wrong comes last, where the one who reads a long output looks first.
		return fmt.Errorf("the bot's log:\n%s\n%w", site.Bot.Log(), err)
	}
	if 3*storm.hits < kills {
		return errors.New("less than a third of the kills hit with work open: the storm is too weak to show anything")
	}
	return nil
}
