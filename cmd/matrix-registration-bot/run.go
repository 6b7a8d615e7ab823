//go:build goolm

package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

func runCommand(around *surroundings) *cobra.Command {
	return subcommand("run", "Run the bot", func() error { return run(*around) })
}

// run is the program's main job. SIGTERM and SIGINT finish what is under way
// and end it, a second one ends it at once; SIGHUP reads the config again.
func run(around surroundings) error {
	holdGarbageShort(around)
	a, err := newApp(around)
	if err != nil {
		return err
	}
	defer a.close()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	go func() {
		for received := range signals {
			switch {
			case received == syscall.SIGHUP:
				a.reload()
			case ctx.Err() != nil:
				os.Exit(exitFailed)
			default:
				a.log.Info().Stringer("signal", received).Msg("Stopping")
				stop()
			}
		}
	}()

	err = a.run(ctx)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return err
}

// holdGarbageShort has memory cleared away earlier than Go does by its own measure:
// what lives is about 1 MB, but garbage would grow to 4 MB. It leaves that to the
// admin who has set GOGC. GOMEMLIMIT holds either way.
func holdGarbageShort(around surroundings) {
	if around.variable("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

// newLog makes the log that goes to standard error. Its level is zerolog's
// global one, because that can be changed while the bot runs; how times are
// written is global as well.
func newLog(around surroundings, level, format string) zerolog.Logger {
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	var out zerolog.LevelWriter = zerolog.MultiLevelWriter(around.stderr)
	if format == "text" {
		out = zerolog.MultiLevelWriter(zerolog.ConsoleWriter{Out: around.stderr, NoColor: true, TimeFormat: "2006-01-02 15:04:05.000"})
	}
	setLogLevel(level)
	return zerolog.New(out).With().Timestamp().Logger()
}

func setLogLevel(level string) {
	parsed, err := zerolog.ParseLevel(level)
	if err != nil {
		parsed = zerolog.InfoLevel // the config has checked it
	}
	zerolog.SetGlobalLevel(parsed)
}
