package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// CrashingBot is a bot whose program ends itself (kill -9) when it meets a
// certain crash point: before or after any of its requests and commits. See
// package crashpoint.
type CrashingBot struct {
	*Bot
	Program string // the test build, beside which Bot has the release

	order  string // the file that names the point
	orders int
}

// Crashing makes a bot, which must be stopped, one that can be told where to
// crash.
func (l *Lab) Crashing(ctx context.Context, bot *Bot) (*CrashingBot, error) {
	program := filepath.Join(l.dir, "crashing-bot")
	l.Announce("Building the bot with crash points")
	err := l.run(ctx, "go", "build", "-tags", "goolm,crashpoints", "-o", program, "./cmd/matrix-registration-bot")
	if err != nil {
		return nil, fmt.Errorf("building the bot with crash points: %w", err)
	}
	return &CrashingBot{Bot: bot, Program: program, order: filepath.Join(bot.dir, "crash-order")}, nil
}

// Start runs the bot and returns when the homeserver has reached it, as what
// comes before shall not be counted. It won't crash before Arm.
func (b *CrashingBot) Start(ctx context.Context) error {
	if err := b.run(ctx, b.Program, "CRASH_ORDER="+b.order); err != nil {
		return err
	}
	return b.Reached(ctx)
}

// Arm has the bot count crash points from now on, and end when it meets the
// one of this name; without a name it only counts.
func (b *CrashingBot) Arm(point string) error {
	b.orders++
	text := fmt.Sprintf("%d\n%s", b.orders, point)
	// In one step, as the bot reads it at any time.
	err := os.WriteFile(b.order+".new", []byte(text), 0o600)
	if err == nil {
		err = os.Rename(b.order+".new", b.order)
	}
	if err != nil {
		return fmt.Errorf("arming the bot: %w", err)
	}
	return nil
}

// Disarm ends the counting, and returns the names of the points that were met,
// in that order.
func (b *CrashingBot) Disarm() ([]string, error) {
	if err := os.Remove(b.order); err != nil {
		return nil, fmt.Errorf("disarming the bot: %w", err)
	}
	met, err := os.ReadFile(b.order + ".met")
	if err == nil {
		err = os.Remove(b.order + ".met")
	} else if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return nil, fmt.Errorf("disarming the bot: %w", err)
	}
	return strings.Split(strings.TrimSpace(string(met)), "\n"), nil
}

// Crashed returns a channel that is closed when the bot's process has ended.
func (b *CrashingBot) Crashed() <-chan struct{} { return b.process.ended }

// Killed tells whether the bot's process, which has ended, was killed: it ends
// so at a crash point, and not when it fails.
func (b *CrashingBot) Killed() bool {
	status, ok := b.process.cmd.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
