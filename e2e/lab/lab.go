// Package lab starts the real things for tests and the demo: Synapse,
// PostgreSQL, the bot's own binary and people who talk to it. Everything listens
// on loopback only, on ports that no other lab on this machine uses, and lives
// in a temporary folder; Close ends and removes all of it. Linux only.
package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// Lab is a folder with running servers in it. Not for use by several goroutines.
type Lab struct {
	root     string // the repository
	dir      string // temporary; removed by Close
	binary   string // the bot's program; empty: not built yet
	progress io.Writer
	closers  []func()

	secrets     secrets
	bots        []*Bot
	logs        []string // files with what bots print that the lab does not run itself
	homeservers []*Synapse
}

// Open makes an empty lab. What takes time later is announced on progress.
func Open(progress io.Writer) (*Lab, error) {
	root, err := repository()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "registration-bot-lab-")
	if err != nil {
		return nil, fmt.Errorf("making the lab's folder: %w", err)
	}
	l := &Lab{root: root, dir: dir, progress: progress}
	l.onClose(func() { _ = os.RemoveAll(dir) })
	// PostgreSQL runs as another user and must be able to reach its data.
	if err := os.Chmod(dir, 0o711); err != nil {
		l.Close()
		return nil, fmt.Errorf("opening the lab's folder: %w", err)
	}
	return l, nil
}

// Build returns the bot's program as `make build` makes it, which it does once.
func (l *Lab) Build(ctx context.Context) (path string, err error) {
	if l.binary != "" {
		return l.binary, nil
	}
	l.Announce("Building the bot")
	if err := l.run(ctx, "make", "--silent", "build", "BIN="+l.dir); err != nil {
		return "", fmt.Errorf("building the bot: %w", err)
	}
	l.binary = filepath.Join(l.dir, "matrix-registration-bot")
	return l.binary, nil
}

// Announce tells what is about to happen.
func (l *Lab) Announce(format string, args ...any) {
	fmt.Fprintf(l.progress, "==> "+format+"\n", args...)
}

// Close ends all that runs in the lab, last started first, and removes its folder.
func (l *Lab) Close() {
	for _, end := range slices.Backward(l.closers) {
		end()
	}
	l.closers = nil
}

func (l *Lab) onClose(end func()) { l.closers = append(l.closers, end) }

// Folder makes a new folder in the lab.
func (l *Lab) Folder(name string) (string, error) {
	dir := filepath.Join(l.dir, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", fmt.Errorf("making a folder in the lab: %w", err)
	}
	return dir, nil
}

// repository finds the folder of go.mod above the working directory.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the repository: %w", err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("finding the repository: no go.mod in this folder or above")
}
