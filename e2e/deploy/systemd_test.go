//go:build e2e

package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"matrix-registration-bot/e2e/lab"
)

const unit = root + "/deploy/systemd/matrix-registration-bot.service"

func TestTheUnitExposesAlmostNothing(t *testing.T) {
	analyze := installed(t, "systemd-analyze", "systemd")
	const most = "15" // tenths
	output(t, exec.Command(analyze, "security", "--offline=yes", "--threshold="+most, "--no-pager", unit))
}

// machine starts a throwaway machine, in which the bot logs all that it can.
func machine(t *testing.T) *lab.Machine {
	t.Helper()
	m, err := laboratory.StartMachine(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Stop)
	t.Cleanup(func() {
		if err := laboratory.KeepJournal(context.Background(), m, "matrix-registration-bot"); err != nil {
			t.Error(err)
		}
	})
	in(t, m, `mkdir /etc/systemd/system/matrix-registration-bot.service.d
		printf '[Service]\nEnvironment=LOGGING_LEVEL=debug\n' > /etc/systemd/system/matrix-registration-bot.service.d/debug.conf`)
	return m
}

// learnSecrets reads those of a bot's config and registration in a machine.
func learnSecrets(t *testing.T, m *lab.Machine, name, folder string) {
	t.Helper()
	copied, err := laboratory.Folder(name)
	if err != nil {
		t.Fatal(err)
	}
	in(t, m, fmt.Sprintf("cp %s/{config,registration}.yaml %s", folder, copied))
	if err := laboratory.LearnSecrets(copied); err != nil {
		t.Fatal(err)
	}
}

// in runs a script in a machine that must succeed, and returns what it printed.
func in(t *testing.T, m *lab.Machine, script string) string {
	t.Helper()
	out, err := m.Run(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func TestTheUnitRunsTheBotUnderARealSystemd(t *testing.T) {
	ctx := t.Context()
	built, err := laboratory.Build(ctx)
	if err != nil {
		t.Fatal(err)
	}
	installed(t, "ps", "procps")
	m := machine(t)
	registration := filepath.Join(t.TempDir(), "registration.yaml")
	synapse, err := laboratory.NewSynapse(ctx, "systemd-synapse", registration)
	if err != nil {
		t.Fatal(err)
	}
	port, err := laboratory.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	unitFile, err := filepath.Abs(unit)
	if err != nil {
		t.Fatal(err)
	}
	in(t, m, fmt.Sprintf(`
		install -m 755 %s /usr/bin/matrix-registration-bot
		install -D -m 644 %s -t /etc/systemd/system
		systemd-analyze verify --man=no matrix-registration-bot.service
		systemctl daemon-reload`, built, unitFile))

	if out, err := m.Run(ctx, "systemctl start matrix-registration-bot"); err == nil {
		t.Errorf("the unit starts without a config: %s", out)
	}
	in(t, m, fmt.Sprintf(`matrix-registration-bot init --dir /etc/matrix-registration-bot --domain lab.test \
		--homeserver %s --admin @anna:lab.test --listen 127.0.0.1:%d \
		--database sqlite:/var/lib/matrix-registration-bot/registration-bot.db`, synapse.URL, port))
	if err := os.WriteFile(registration, []byte(in(t, m, "cat /etc/matrix-registration-bot/registration.yaml")), 0o600); err != nil {
		t.Fatal(err)
	}

	learnSecrets(t, m, "systemd-secrets", "/etc/matrix-registration-bot")

	// Returns when the bot has said READY=1; no homeserver is there yet.
	in(t, m, "systemctl start matrix-registration-bot")
	if user := in(t, m, "ps -o user= -p $(systemctl show -P MainPID matrix-registration-bot)"); user == "root" {
		t.Error("the bot runs as root")
	}
	if err := synapse.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := synapse.Appoint(ctx); err != nil {
		t.Fatal(err)
	}
	becomesAdmin(t, synapse, inMachine{m})
	createsAToken(t, synapse, inMachine{m})

	in(t, m, `printf '[Service]\nWatchdogSec=1\nRestartSec=0\n' > /etc/systemd/system/matrix-registration-bot.service.d/watchdog.conf
		systemctl daemon-reload
		systemctl restart matrix-registration-bot`)
	signOfLife := in(t, m, "systemctl show -P WatchdogTimestampMonotonic matrix-registration-bot")
	bot := inMachine{m}
	if err := bot.Until(ctx, "the watchdog gets signs of life", func(ctx context.Context) error {
		return unlike(ctx, m, "systemctl show -P WatchdogTimestampMonotonic matrix-registration-bot", signOfLife)
	}); err != nil {
		t.Fatal(err)
	}
	stuck := in(t, m, "systemctl kill --signal=STOP matrix-registration-bot; systemctl show -P MainPID matrix-registration-bot")
	if err := bot.Until(ctx, "the bot that is stuck is replaced", func(ctx context.Context) error {
		return errors.Join(
			unlike(ctx, m, "systemctl show -P MainPID matrix-registration-bot", stuck),
			unlike(ctx, m, "systemctl show -P MainPID matrix-registration-bot", "0"),
			unlike(ctx, m, "systemctl show -P ActiveState matrix-registration-bot", "activating"))
	}); err != nil {
		t.Fatal(err)
	}
	in(t, m, "systemctl stop matrix-registration-bot")
	if result := in(t, m, "systemctl show -P Result matrix-registration-bot"); result != "success" {
		t.Errorf("the bot ended with %s:\n%s", result, bot.Log())
	}
}

// The unit's folder belongs to a user that systemd makes up, and stays so while the
// bot does not run.
func TestTheUnitsBotOpensTheDatabaseThatRootHasMade(t *testing.T) {
	built, err := laboratory.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	installed(t, "sqlite3", "sqlite3")
	unitFile, err := filepath.Abs(unit)
	if err != nil {
		t.Fatal(err)
	}
	port, err := laboratory.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	m := machine(t)
	in(t, m, fmt.Sprintf(`groupadd --force matrix-synapse
		install -m 755 %s /usr/bin/matrix-registration-bot
		install -D -m 644 %s -t /etc/systemd/system
		systemctl daemon-reload
		printf 'bot:\n  server: http://127.0.0.1:1\n  username: registration-bot\n' > config.yml
		printf '[simplematrixbotlib.config]\nallowlist = ["@anna:lab.test"]\n' > config.toml`, built, unitFile))
	imports := fmt.Sprintf(`matrix-registration-bot import --domain lab.test --admin @anna:lab.test --url http://127.0.0.1:%d --force \
		--dir /etc/matrix-registration-bot --database sqlite:/var/lib/matrix-registration-bot/registration-bot.db
		systemctl start matrix-registration-bot`, port)

	in(t, m, imports) // the unit has no folder yet
	learnSecrets(t, m, "state-secrets", "/etc/matrix-registration-bot")
	in(t, m, "systemctl stop matrix-registration-bot; rm /var/lib/matrix-registration-bot/*")
	in(t, m, imports)

	for _, step := range []struct{ heading, holds string }{{"Make a backup", "sqlite3"}, {"Restore", "registration-bot.db"}} {
		in(t, m, shellBlockOf(t, "docs/backup.md", step.heading, step.holds))
	}
	in(t, m, "systemctl start matrix-registration-bot")
}

// shellBlockOf returns the first shell block under a heading of a page that holds a text.
func shellBlockOf(t *testing.T, page, heading, holds string) string {
	t.Helper()
	for _, b := range blocksOf(t, page) {
		if b.language == "sh" && b.heading == heading && strings.Contains(b.text, holds) {
			return b.text
		}
	}
	t.Fatalf("%s has no block with %q under %q", page, holds, heading)
	return ""
}

// unlike returns nil if what a script prints in a machine is not this text.
func unlike(ctx context.Context, m *lab.Machine, script, text string) error {
	out, err := m.Run(ctx, script)
	if err == nil && strings.TrimSpace(out) == text {
		err = fmt.Errorf("it still is %s", text)
	}
	return err
}

// inMachine is the bot that systemd runs in a machine.
type inMachine struct{ *lab.Machine }

// Log returns what the bot printed.
func (b inMachine) Log() string {
	out, err := b.Run(context.Background(), "journalctl --no-pager -u matrix-registration-bot")
	if err != nil {
		return err.Error()
	}
	return out
}
