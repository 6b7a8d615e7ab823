package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is a server that the lab started.
type process struct {
	name  string
	cmd   *exec.Cmd
	log   string // the file with all that it printed
	ended chan struct{}
	err   error // how it ended; valid once ended is closed
}

// attributes puts a process in a group of its own, so that Ctrl-C reaches only
// us and we end the others in order, and lets the kernel end it when we die
// without having done so. A nil credential means the present user.
func attributes(as *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: as}
}

// start starts a command whose output goes to the end of the log file.
func start(name, log string, cmd *exec.Cmd) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	defer func() { _ = file.Close() }()
	cmd.Stdout, cmd.Stderr = file, file
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = attributes(nil)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, log: log, ended: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// running tells whether the process was started and has not ended.
func (p *process) running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("sending %s to %s: %w", s, p.name, err)
	}
	return nil
}

// stop asks the process to end, and returns how it ended. One that is still
// there after the grace is killed, which is an error.
func (p *process) stop(ask os.Signal, grace time.Duration) error {
	if !p.running() {
		return p.err
	}
	_ = p.cmd.Process.Signal(ask)
	select {
	case <-p.ended:
		return p.err
	case <-time.After(grace):
		p.kill()
		return fmt.Errorf("%s did not end within %s of %s", p.name, grace, ask)
	}
}

// kill ends the process at once (kill -9) and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// until waits for a condition: ready is asked again and again until it
// returns nil. A process that ends meanwhile is an error that shows its last words.
func (p *process) until(ctx context.Context, what string, ready func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("waiting until %s: %s ended (%v):\n%s", what, p.name, p.err, p.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w (last: %v):\n%s", what, ctx.Err(), err, p.lastWords())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// watch begins to read the log. The function that it returns waits until
// something with this text has been written since.
func (p *process) watch(text string) (wait func(ctx context.Context) error) {
	before, _ := os.ReadFile(p.log)
	return func(ctx context.Context) error {
		return p.until(ctx, fmt.Sprintf("%s logs %q", p.name, text), func(context.Context) error {
			log, err := os.ReadFile(p.log)
			if err == nil && !bytes.Contains(log[len(before):], []byte(text)) {
				err = errors.New("not yet")
			}
			return err
		})
	}
}

func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return lastLines(string(text), 60)
}
