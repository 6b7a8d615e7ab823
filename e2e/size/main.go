// Size prints how big the bot is, as a file and in memory while it has nothing to
// do beside a real Synapse, and fails above 25 MB each.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"matrix-registration-bot/e2e/lab"
)

const (
	most = 25_000_000 // bytes
	// idle is how long nothing happens before the memory is measured.
	idle = 10 * time.Second
)

func main() { lab.Run(measure) }

func measure(ctx context.Context, l *lab.Lab) error {
	path, err := l.Build(ctx)
	if err != nil {
		return err
	}
	program, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("measuring the program: %w", err)
	}
	site, err := l.NewSite(ctx, lab.SiteOptions{Name: "size", Admin: "admin"})
	if err != nil {
		return err
	}
	chat, err := site.Admin.DM(ctx, site.Bot.UserID)
	if err != nil {
		return err
	}
	if _, err := chat.Hear(ctx); err != nil { // its greeting: it has done all that it does once
		return err
	}
	select {
	case <-time.After(idle):
	case <-ctx.Done():
		return ctx.Err()
	}
	memory, err := site.Bot.Memory()
	if err != nil {
		return err
	}
	return errors.Join(
		report(fmt.Sprintf("program (%s/%s, stripped)", runtime.GOOS, runtime.GOARCH), int(program.Size())),
		report("memory of the idle bot (VmRSS)", memory),
	)
}

func report(what string, bytes int) error {
	fmt.Printf("%-34s %5.1f MB\n", what, float64(bytes)/1e6)
	if bytes > most {
		return fmt.Errorf("%s: more than %d MB", what, most/1_000_000)
	}
	return nil
}
