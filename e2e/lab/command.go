package lab

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// run runs a command in the repository to its end. What it printed is part of
// the error.
func (l *Lab) run(ctx context.Context, name string, args ...string) error {
	_, err := l.output(ctx, nil, name, args...)
	return err
}

// output is run for a command whose output is wanted; as is the user that it
// runs as, nil for the present one.
func (l *Lab) output(ctx context.Context, as *syscall.Credential, name string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = l.root
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = attributes(as)
	if as != nil {
		cmd.Dir = "/"
	}
	// pip and make start processes of their own, which must end too.
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, lastLines(out.String(), 40))
	}
	return out.String(), nil
}

// lastLines returns the last n lines of a text.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
