package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Launched is a program that a test started by a command of its own. What it prints
// is searched for secrets like what the lab's bots print.
type Launched struct{ process *process }

// Launch starts a command, which ends with the lab at the latest.
func (l *Lab) Launch(name string, cmd *exec.Cmd) (*Launched, error) {
	log := filepath.Join(l.dir, name+".log")
	process, err := start(name, log, cmd)
	if err != nil {
		return nil, err
	}
	l.logs = append(l.logs, log)
	launched := &Launched{process}
	l.onClose(func() { _ = launched.Stop() })
	return launched, nil
}

// Until waits for a condition: holds is asked until it returns nil.
func (p *Launched) Until(ctx context.Context, what string, holds func(ctx context.Context) error) error {
	return p.process.until(ctx, what, holds)
}

// Stop asks the program to end (SIGTERM) and returns how it ended. If it runs
// in a container, it is asked there: bubblewrap passes on no signals.
func (p *Launched) Stop() error {
	if !p.process.running() {
		return p.process.err
	}
	if inner := innermost(p.process.pid()); inner != p.process.pid() {
		_ = syscall.Kill(inner, syscall.SIGTERM)
		return p.process.stop(syscall.Signal(0), 15*time.Second)
	}
	return p.process.stop(syscall.SIGTERM, 15*time.Second)
}

// Inside is the process that bubblewrap runs, as this machine numbers it.
func (p *Launched) Inside() int { return innermost(p.process.pid()) }

// innermost follows a process to its first child, and so on.
func innermost(pid int) int {
	for {
		child := firstChild(pid)
		if child == 0 {
			return pid
		}
		pid = child
	}
}

// firstChild returns 0 if there is none.
func firstChild(pid int) (child int) {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	_, _ = fmt.Sscan(string(children), &child)
	return child
}

// Log returns the last lines that it printed.
func (p *Launched) Log() string { return p.process.lastWords() }
