package lab

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Run is all that a program has to do that works in a lab: it opens one for do
// and closes it. Ctrl-C and SIGTERM end the context; an error ends the program.
func Run(do func(ctx context.Context, l *Lab) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := inLab(ctx, do); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func inLab(ctx context.Context, do func(ctx context.Context, l *Lab) error) error {
	l, err := Open(os.Stderr)
	if err != nil {
		return err
	}
	defer l.Close()
	return do(ctx, l)
}
