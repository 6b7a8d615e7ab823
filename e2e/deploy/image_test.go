//go:build e2e

package deploy

import (
	"context"
	"debug/elf"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"matrix-registration-bot/e2e/lab"
)

//go:embed requirements.txt
var hadolint string

func TestTheDockerfileHasNoComplaintsOfHadolint(t *testing.T) {
	programs, err := laboratory.InstallPython(t.Context(), "hadolint", hadolint)
	if err != nil {
		t.Fatal(err)
	}
	output(t, exec.Command(filepath.Join(programs, "hadolint"), root+"/Dockerfile"))
}

func TestTheImageHoldsOnlyWhatTheBotNeeds(t *testing.T) {
	built, err := image()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	err = filepath.WalkDir(built.Root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, strings.TrimPrefix(path, built.Root))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	if want := []string{"/etc/ssl/certs/ca-certificates.crt", "/usr/bin/matrix-registration-bot", "/usr/share/doc/matrix-registration-bot/licences.txt"}; !slices.Equal(files, want) {
		t.Errorf("the image holds %q, not %q", files, want)
	}
	if built.User == 0 || built.Group == 0 {
		t.Errorf("the image runs as %d:%d", built.User, built.Group)
	}
	if !slices.Equal(built.Volumes, []string{"/data"}) {
		t.Errorf("the volumes are %q, not /data alone", built.Volumes)
	}
	for _, label := range []string{"title", "description", "licenses", "version"} {
		if built.Labels["org.opencontainers.image."+label] == "" {
			t.Errorf("the image has no label org.opencontainers.image.%s", label)
		}
	}
	program, err := elf.Open(filepath.Join(built.Root, "usr/bin/matrix-registration-bot"))
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for _, segment := range program.Progs {
		if segment.Type == elf.PT_INTERP {
			t.Error("the program needs a dynamic linker")
		}
	}
}

func TestTheContainerKnowsTimeZones(t *testing.T) {
	for zone, code := range map[string]int{
		"Europe/Berlin":  1, // the config is fine; no homeserver is there
		"Europe/Nowhere": 2,
	} {
		container := newContainer(t, strings.ReplaceAll(zone, "/", "-"), "BOT_TIMEZONE="+zone)
		initialize(t, container, "http://127.0.0.1:1", 1)
		mustEndWith(t, container.Run("doctor"), code)
	}
}

func TestTheContainerIsUnhealthyWithoutTheBot(t *testing.T) {
	container := newContainer(t, "unhealthy")
	mustEndWith(t, container.Healthcheck(), 1) // no config either
	port, err := laboratory.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	initialize(t, container, "http://127.0.0.1:1", port)
	mustEndWith(t, container.Healthcheck(), 1)
}

// mustEndWith runs a command and wants this exit code, not 0.
func mustEndWith(t *testing.T, cmd *exec.Cmd, code int) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != code {
		t.Errorf("%s ended with %v, not with exit code %d:\n%s", cmd.Args[len(cmd.Args)-1], err, code, out)
	}
}

// newContainer makes a container of the image, without network privileges and
// with a root file system that can't be written. The bot in it logs all that it can.
func newContainer(t *testing.T, name string, environment ...string) *lab.Container {
	t.Helper()
	built, err := image()
	if err != nil {
		t.Fatal(err)
	}
	container, err := laboratory.NewContainer(built, name, append(environment, "LOGGING_LEVEL=debug")...)
	if err != nil {
		t.Fatal(err)
	}
	return container
}

// initialize runs init in the container. The network is this machine's, so the
// bot listens on loopback.
func initialize(t *testing.T, container *lab.Container, homeserver string, port int, flags ...string) string {
	t.Helper()
	arguments := append([]string{
		"init", "--dir", "/data", "--domain", "lab.test", "--homeserver", homeserver, "--admin", "@anna:lab.test",
		"--listen", fmt.Sprintf("127.0.0.1:%d", port),
	}, flags...)
	said := output(t, container.Run(arguments...))
	if err := laboratory.LearnSecrets(container.Data()); err != nil {
		t.Fatal(err)
	}
	return said
}

func TestTheContainerStartsBeforeItsHomeserverAndServesIt(t *testing.T) {
	ctx := t.Context()
	container := newContainer(t, "container")
	synapse, err := laboratory.NewSynapse(ctx, "container-synapse", filepath.Join(container.Data(), "registration.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	port, err := laboratory.FreePort()
	if err != nil {
		t.Fatal(err)
	}

	if out := output(t, container.Run("version")); !strings.HasPrefix(out, "matrix-registration-bot ") {
		t.Errorf("version printed %q", out)
	}
	initialize(t, container, synapse.URL, port)
	if _, err := container.Run("init", "--dir", "/", "--domain", "lab.test", "--homeserver", synapse.URL, "--admin", "@anna:lab.test").Output(); err == nil {
		t.Error("init could write outside of /data")
	}

	// A homeserver with depends_on: {condition: service_healthy} waits until here.
	bot, err := laboratory.Launch("container-bot", container.Run())
	if err != nil {
		t.Fatal(err)
	}
	if err := bot.Until(ctx, "the container is healthy", func(context.Context) error {
		return container.Healthcheck().Run()
	}); err != nil {
		t.Fatal(err)
	}
	mustBePowerless(t, bot.Inside())

	if err := synapse.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := synapse.Appoint(ctx); err != nil {
		t.Fatal(err)
	}
	becomesAdmin(t, synapse, bot)
	createsAToken(t, synapse, bot)
	if err := bot.Stop(); err != nil {
		t.Errorf("the bot ended with %v after SIGTERM:\n%s", err, bot.Log())
	}
}

// mustBePowerless looks at a process from outside.
func mustBePowerless(t *testing.T, pid int) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		switch name {
		case "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb":
			if strings.Trim(value, "0") != "" {
				t.Errorf("the bot's process has capabilities: %s %s", name, value)
			}
		case "Uid", "Gid":
			if os.Geteuid() == 0 && !strings.HasPrefix(value, "65532\t65532\t") {
				t.Errorf("the bot's process has the %s %s", name, value)
			}
		}
	}
}

// runningBot is a bot that a test has started somewhere.
type runningBot interface {
	Until(ctx context.Context, what string, holds func(ctx context.Context) error) error
	Log() string
}

// becomesAdmin makes a running bot a server admin.
func becomesAdmin(t *testing.T, synapse *lab.Synapse, bot runningBot) {
	t.Helper()
	user := synapse.UserID("registration-bot")
	err := bot.Until(t.Context(), "the bot has an account", func(ctx context.Context) error { return synapse.Exists(ctx, user) })
	if err == nil {
		err = synapse.SetAdmin(t.Context(), user, true)
	}
	if err != nil {
		t.Fatalf("%v\nthe bot's log:\n%s", err, bot.Log())
	}
}

// createsAToken lets Anna, the bot's admin, ask a running bot for a token and
// somebody register with it.
func createsAToken(t *testing.T, synapse *lab.Synapse, bot runningBot) {
	t.Helper()
	site := &lab.Site{Synapse: synapse}
	anna, err := site.NewPerson(t.Context(), "anna")
	if err != nil {
		t.Fatal(err)
	}
	asksForAToken(t, synapse, anna, bot)
}

// asksForAToken lets the bot's admin ask for a token and somebody register with it.
func asksForAToken(t *testing.T, synapse *lab.Synapse, admin *lab.Person, bot runningBot) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v\nthe bot's log:\n%s", err, bot.Log())
		}
	}
	chat, err := admin.DM(ctx, synapse.UserID("registration-bot"))
	must(err)
	_, err = chat.Hear(ctx)
	must(err)
	made, err := chat.Ask(ctx, "create")
	must(err)
	if len(made.Codes()) == 0 {
		t.Fatalf("create was answered with %q", made.Body)
	}
	must(synapse.SignUp(ctx, "clara", "a long password of hers", made.Codes()[0]))
}
