package lab

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Main is the TestMain of tests in a lab: it opens one, has it set up, runs the
// tests, searches what the bots have printed for secrets, and closes the lab, on
// Ctrl-C too. It returns the exit code.
func Main(setUp func(ctx context.Context, l *Lab) error, tests func() (code int)) (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := Open(os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer l.Close()
	ended := make(chan int, 1)
	go func() {
		if err := setUp(ctx, l); err != nil {
			fmt.Fprintln(os.Stderr, err)
			ended <- 1
			return
		}
		code := tests()
		if err := l.SearchLogs(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			code = 1
		}
		ended <- code
	}()
	select {
	case code = <-ended:
		return code
	case <-ctx.Done():
		return 1
	}
}
