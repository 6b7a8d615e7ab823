package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"gopkg.in/yaml.v3"
	"maunium.net/go/mautrix/id"
)

// Bot is the program under test in a folder of its own, as `init` fills it.
type Bot struct {
	UserID       id.UserID
	URL          string // where it listens
	Registration string // its registration.yaml
	HSToken      string // what the homeserver shows the bot

	binary  string
	dir     string
	log     string // the file in dir with all that it prints
	process *process
}

// NewBot makes a bot for a homeserver that the lab does not run: `init` gets these
// arguments.
func (l *Lab) NewBot(ctx context.Context, name string, arguments ...string) (*Bot, error) {
	dir, err := l.Folder(name)
	if err != nil {
		return nil, err
	}
	port, err := l.FreePort()
	if err != nil {
		return nil, err
	}
	return l.newBot(ctx, dir, port, arguments...)
}

// newBot runs `init` for a bot that listens on the given port.
func (l *Lab) newBot(ctx context.Context, dir string, port int, arguments ...string) (*Bot, error) {
	b, err := l.emptyBot(ctx, dir, port)
	if err != nil {
		return nil, err
	}
	arguments = append([]string{"init", "--dir", dir, "--listen", fmt.Sprintf("127.0.0.1:%d", port)}, arguments...)
	if out, err := b.Command(ctx, arguments...); err != nil {
		return nil, fmt.Errorf("matrix-registration-bot init: %w\n%s", err, out)
	}
	return b, l.adopt(b)
}

// emptyBot is a bot without a config.
func (l *Lab) emptyBot(ctx context.Context, dir string, port int) (*Bot, error) {
	binary, err := l.Build(ctx)
	return &Bot{
		URL:          fmt.Sprintf("http://127.0.0.1:%d", port),
		Registration: filepath.Join(dir, "registration.yaml"),
		binary:       binary,
		dir:          dir,
		log:          "bot.log",
	}, err
}

// adopt reads a bot's files, and makes it one of the lab's.
func (l *Lab) adopt(b *Bot) error {
	text, err := os.ReadFile(b.Registration)
	if err != nil {
		return fmt.Errorf("reading the bot's registration: %w", err)
	}
	var registration struct {
		HSToken string `yaml:"hs_token"`
	}
	if err := yaml.Unmarshal(text, &registration); err != nil {
		return fmt.Errorf("reading the bot's registration: %w", err)
	}
	b.HSToken = registration.HSToken
	if err := l.LearnSecrets(b.dir); err != nil {
		return err
	}
	l.keep(b)
	return nil
}

// keep stops the bot when the lab closes.
func (l *Lab) keep(b *Bot) {
	l.bots = append(l.bots, b)
	l.onClose(func() { _ = b.Stop() })
}

// Command runs a subcommand of the program to its end and returns what it printed.
func (b *Bot) Command(ctx context.Context, arguments ...string) (string, error) {
	return b.command(ctx, "", nil, arguments...)
}

// CommandThatAsks is Command for one that asks something: answer is what it reads.
func (b *Bot) CommandThatAsks(ctx context.Context, answer string, arguments ...string) (string, error) {
	return b.command(ctx, answer, nil, arguments...)
}

func (b *Bot) command(ctx context.Context, answer string, environment []string, arguments ...string) (string, error) {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, b.binary, arguments...)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), environment...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(answer), &out, &out
	cmd.SysProcAttr = attributes(nil)
	err := cmd.Run()
	return out.String(), err
}

// Twin runs a second bot on the same database, listening elsewhere, to its end.
func (b *Bot) Twin(ctx context.Context) (string, error) {
	return b.command(ctx, "", []string{"APPSERVICE_LISTEN=127.0.0.1:0"}, "-c", "config.yaml", "run")
}

// Start runs the bot and returns when it is ready.
func (b *Bot) Start(ctx context.Context) error { return b.run(ctx, b.binary) }

// Launch runs the bot and does not wait for it. Each variable is NAME=value.
func (b *Bot) Launch(environment ...string) error { return b.launch(b.binary, environment...) }

func (b *Bot) run(ctx context.Context, binary string, environment ...string) error {
	if err := b.launch(binary, environment...); err != nil {
		return err
	}
	return b.Ready(ctx)
}

func (b *Bot) launch(binary string, environment ...string) (err error) {
	cmd := exec.Command(binary, "-c", "config.yaml", "run")
	cmd.Dir = b.dir
	cmd.Env = append(append(os.Environ(), "LOGGING_LEVEL=debug"), environment...)
	b.process, err = start("the bot", b.logFile(), cmd)
	return err
}

// Stop asks the bot to end (SIGTERM) and returns how it ended.
func (b *Bot) Stop() error {
	if b.process == nil {
		return nil
	}
	return b.process.stop(syscall.SIGTERM, 15*time.Second)
}

// Terminate asks the bot to end (SIGTERM) and does not wait for it.
func (b *Bot) Terminate() error { return b.process.signal(syscall.SIGTERM) }

// Ended waits until the bot has ended, and returns its exit code.
func (b *Bot) Ended(ctx context.Context) (code int, err error) {
	select {
	case <-b.process.ended:
		return b.process.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("waiting until the bot has ended: %w", ctx.Err())
	}
}

// Kill ends the bot at once, as kill -9 does.
func (b *Bot) Kill() { b.process.kill() }

// Reload makes the bot read its config again (SIGHUP).
func (b *Bot) Reload() error { return b.process.signal(syscall.SIGHUP) }

// Running tells whether the bot's process is there.
func (b *Bot) Running() bool { return b.process.running() }

// EditConfig replaces text in config.yaml, which must hold it exactly once.
func (b *Bot) EditConfig(old, replacement string) error {
	return edit(filepath.Join(b.dir, "config.yaml"), old, replacement)
}

// logFile is where all that it prints goes.
func (b *Bot) logFile() string { return filepath.Join(b.dir, b.log) }

// Watch begins to read the bot's log. The function that it returns waits until
// something with this text has been written since.
func (b *Bot) Watch(text string) (wait func(ctx context.Context) error) { return b.process.watch(text) }

// Log returns the last lines that the bot printed.
func (b *Bot) Log() string { return b.process.lastWords() }

// Memory is how much of the machine's memory the running bot occupies, in bytes (VmRSS).
func (b *Bot) Memory() (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.process.pid()))
	if err != nil {
		return 0, fmt.Errorf("measuring the bot: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kilobytes); n == 1 {
			return kilobytes << 10, nil
		}
	}
	return 0, errors.New("measuring the bot: its status has no VmRSS")
}
