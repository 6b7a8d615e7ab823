// Withpostgres runs a command with TEST_POSTGRES_URI set to a PostgreSQL server
// of its own, on which the command may create databases. One that is set already is
// left as it is.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"matrix-registration-bot/e2e/lab"
)

const variable = "TEST_POSTGRES_URI"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, command []string) error {
	if len(command) == 0 {
		return errors.New("usage: withpostgres COMMAND [ARGUMENT...]")
	}
	if os.Getenv(variable) == "" {
		l, err := lab.Open(os.Stderr)
		if err != nil {
			return err
		}
		defer l.Close()
		postgres, err := l.StartPostgres(ctx)
		if err != nil {
			return err
		}
		if err := os.Setenv(variable, postgres.URI("postgres")); err != nil {
			return fmt.Errorf("setting %s: %w", variable, err)
		}
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
