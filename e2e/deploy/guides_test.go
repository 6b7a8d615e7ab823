//go:build e2e

package deploy

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"matrix-registration-bot/config"
	"matrix-registration-bot/e2e/lab"
)

// block is a piece of code in a page for admins.
type block struct {
	page, heading, language, text string
}

// pages are those whose shell blocks are all followed, but for these.
var (
	pages     = []string{"archive.md", "docker.md", "homeserver.md", "package.md", "source.md", "upgrading.md"}
	onlyParse = []string{
		"docker.md: A whole server", // there is no image of Synapse; see also the tests of the compose file
		"upgrading.md: Container",   // nor a repository to pull from
	}
)

var fence = regexp.MustCompile("(?ms)^(## [^\n]*)$|^```([a-z]+)\n(.*?)^```$")

func blocksOf(t *testing.T, path string) (blocks []block) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	heading := ""
	for _, match := range fence.FindAllStringSubmatch(string(text), -1) {
		if match[1] != "" {
			heading = strings.TrimPrefix(match[1], "## ")
			continue
		}
		blocks = append(blocks, block{filepath.Base(path), heading, match[2], match[3]})
	}
	return blocks
}

func TestEveryBlockOfThePagesCanBeParsed(t *testing.T) {
	var paths []string
	for _, pattern := range []string{"/*.md", "/docs/*.md", "/docs/install/*.md"} {
		found, err := filepath.Glob(root + pattern)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, found...)
	}
	for _, path := range paths {
		for _, b := range blocksOf(t, path) {
			switch b.language {
			case "sh":
				if out, err := exec.Command("bash", "-n", "-c", b.text).CombinedOutput(); err != nil {
					t.Errorf("%s, %q: %s", b.page, b.heading, out)
				}
			case "yaml":
				checkYAML(t, b)
			}
		}
	}
}

// checkYAML reads a block as the bot does if it is made of the bot's settings, and
// as any YAML if not.
func checkYAML(t *testing.T, b block) {
	t.Helper()
	var keys map[string]any
	if err := yaml.Unmarshal([]byte(b.text), &keys); err != nil {
		t.Errorf("%s, %q: %v", b.page, b.heading, err)
	}
	for key := range keys {
		if !slices.Contains([]string{"homeserver", "appservice", "bot", "api", "create", "permissions", "limits", "notify", "database", "encryption", "logging", "metrics"}, key) {
			return // another program's
		}
	}
	_, err := config.Parse(b.page, []byte(b.text), []string{
		"HOMESERVER_DOMAIN=example.com", "HOMESERVER_ADDRESS=http://localhost:8008", "ENCRYPTION_PICKLE_KEY=0123456789abcdef0123456789abcdef",
	})
	if err != nil {
		t.Errorf("%s, %q: %v", b.page, b.heading, err)
	}
}

// reader is somebody who follows the pages on a machine, as root.
type reader struct {
	*testing.T
	machine *lab.Machine
	*lab.Synapse
	replace  *strings.Replacer
	followed map[string]bool
}

// newReader makes a machine with a Synapse as Debian's package installs it, and
// what the pages call example.com is the lab's server.
func newReader(t *testing.T, name string, followed map[string]bool) *reader {
	t.Helper()
	m := machine(t)
	synapse, err := laboratory.NewSynapseIn(t.Context(), m, name)
	if err != nil {
		t.Fatal(err)
	}
	port, err := laboratory.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	in(t, m, "mkdir /srv/reader; echo /srv/reader > /run/where; ln -s "+repository+" /srv/matrix-registration-bot.git")
	return &reader{t, m, synapse, strings.NewReplacer(
		"https://example.com/", "/srv/",
		"@you:example.com", fmt.Sprintf("@anna:lab.test --listen 127.0.0.1:%d", port),
		"https://matrix.example.com", "https://matrix.lab.test",
		"example.com", "lab.test",
		"http://localhost:8008", synapse.URL,
	), followed}
}

// follow runs the shell blocks under these headings of a page, or all. What stands
// before the first heading has an empty one.
func (r *reader) follow(page string, headings ...string) {
	r.Helper()
	ran := false
	for _, b := range blocksOf(r.T, root+"/docs/install/"+page) {
		if b.language != "sh" || headings != nil && !slices.Contains(headings, b.heading) {
			continue
		}
		r.prepare(b.text)
		// The reader stays in one shell.
		out, err := r.machine.Run(r.Context(), "cd \"$(cat /run/where)\"\n"+r.replace.Replace(b.text)+"\npwd > /run/where")
		if err != nil {
			r.Fatalf("%s, %q: %v", page, b.heading, err)
		}
		r.Logf("%s, %q:\n%s", page, b.heading, out)
		r.followed[page+": "+b.heading] = true
		ran = true
	}
	if !ran {
		r.Fatalf("%s has no shell block under %q", page, headings)
	}
}

// tokenFile is where the pages want an admin's access token, by the line that
// removes it again.
var tokenFile = regexp.MustCompile(`(?m)^rm (.*access-token)$`)

// prepare does what people do between the blocks: they put down the access token
// of an admin, and are slow enough for the bot to meet the homeserver.
func (r *reader) prepare(script string) {
	r.Helper()
	if file := tokenFile.FindStringSubmatch(script); file != nil {
		in(r.T, r.machine, fmt.Sprintf("cd \"$(cat /run/where)\"; echo %s > %s; chmod a+r %[2]s", r.AccessToken(), file[1]))
		r.must(r.machine.Until(r.Context(), "the bot has an account", func(ctx context.Context) error {
			return r.Exists(ctx, r.UserID("registration-bot"))
		}))
		return
	}
	for line := range strings.Lines(script) {
		if strings.HasSuffix(line, " doctor\n") {
			r.must(r.machine.Until(r.Context(), "doctor is content", func(ctx context.Context) error {
				_, err := r.machine.Run(ctx, `cd "$(cat /run/where)"; `+line)
				return err
			}))
		}
	}
}

func (r *reader) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// runs wants the unit to be active.
func (r *reader) runs() {
	r.Helper()
	in(r.T, r.machine, "systemctl is-active matrix-registration-bot")
}

func TestThePagesCanBeFollowedWordForWord(t *testing.T) {
	followed := map[string]bool{} // "page: heading"
	t.Run("package, archive and source", func(t *testing.T) { followsPackages(t, followed) })
	t.Run("container, with a stand-in for Docker", func(t *testing.T) { followsDocker(t, followed) })
	t.Run("nothing is left out", func(t *testing.T) {
		for _, page := range pages {
			for _, b := range blocksOf(t, root+"/docs/install/"+page) {
				name := page + ": " + b.heading
				if b.language == "sh" && !followed[name] && !slices.Contains(onlyParse, name) {
					t.Errorf("nobody has followed %s", name)
				}
			}
		}
	})
}

func followsPackages(t *testing.T, followed map[string]bool) {
	files := released(t)
	installed(t, "man", "man-db")
	r := newReader(t, "guide-synapse", followed)
	in(t, r.machine, "cp "+files+"/* /srv/reader")

	r.follow("package.md", "1. Install it")
	in(t, r.machine, `
		systemd-analyze verify matrix-registration-bot.service
		man --where matrix-registration-bot matrix-registration-bot-init
		bash -n /usr/share/bash-completion/completions/matrix-registration-bot`)
	for _, step := range []string{"2. Write its config", "3. Start it", "4. Tell Synapse of it"} {
		r.follow("package.md", step)
	}
	learnSecrets(t, r.machine, "guide-secrets", "/etc/matrix-registration-bot")
	r.follow("package.md", "5. Make it a server admin")
	r.follow("package.md", "6. See whether all is well")
	createsAToken(t, r.Synapse, inMachine{r.machine})
	r.follow("package.md", "Changing the config")
	r.runs()

	before := in(t, r.machine, "systemctl show -P MainPID matrix-registration-bot")
	r.follow("upgrading.md", "Package")
	if after := in(t, r.machine, "systemctl show -P MainPID matrix-registration-bot"); after == before {
		t.Error("the bot was not restarted by the upgrade")
	}

	r.follow("package.md", "Removing it")
	if left := in(t, r.machine, `dpkg -l matrix-registration-bot | grep ^ii || true
		ls /usr/bin/matrix-registration-bot /usr/lib/systemd/system/matrix-registration-bot.service 2>/dev/null || true
		systemctl is-active matrix-registration-bot | grep -v inactive || true`); left != "" {
		t.Errorf("after removing the package there still is %s", left)
	}
	in(t, r.machine, "test -e /etc/matrix-registration-bot/config.yaml -a -e /var/lib/private/matrix-registration-bot/registration-bot.db")

	r.follow("archive.md")
	r.follow("upgrading.md", "Archive, source")
	r.runs()

	in(t, r.machine, "echo /srv/reader > /run/where")
	r.follow("source.md")
	r.follow("upgrading.md", "Archive, source")
	r.runs()

	in(t, r.machine, `systemctl stop matrix-registration-bot
		rm -r /etc/matrix-registration-bot /var/lib/matrix-registration-bot /var/lib/private/matrix-registration-bot`)
	r.follow("homeserver.md", "Two machines")
}

// standIn does what docker would in the page, for one service.
const standIn = `#!/bin/bash
set -eu
enter() { %s "$@"; }
if test "${1:-}" = ENTER; then shift; enter "$@"; exit; fi
case "$1 $2" in
"build --tag")
	test -f "$4/Dockerfile"
	;;
"compose run")
	test "$3 $4" = "--rm registration-bot"
	shift 4
	enter %s "$@"
	;;
"compose up")
	systemd-run --quiet --unit=matrix-registration-bot --working-directory="$PWD" "$0" ENTER %s
	until enter %s; do sleep 0.1; done
	;;
"compose exec")
	test "$3" = registration-bot
	shift 3
	enter "$@"
	;;
*)
	exit 1
	;;
esac
`

// followsDocker follows the page with a stand-in for Docker: it runs the image's
// files by bubblewrap, with the folder data as /data, as the compose file says.
func followsDocker(t *testing.T, followed map[string]bool) {
	built, err := image()
	if err != nil {
		t.Fatal(err)
	}
	container := newContainer(t, "guide-data")
	if mounts := readCompose(t, root+"/deploy/compose/beside/compose.yaml").Services["registration-bot"].Volumes; !slices.Equal(mounts, []string{"./data:/data"}) {
		t.Fatalf("the compose file mounts %q", mounts)
	}
	enter := fmt.Sprintf("setpriv --reuid %d --regid %d --clear-groups %s", built.User, built.Group,
		strings.NewReplacer(
			container.Data(), `"$PWD/data"`,
			"--proc /proc", "", // a machine in a machine may not mount it, and the bot needs none
		).Replace(strings.Join(container.Enter().Args, " ")))
	program := strings.Join(built.Entrypoint, " ")
	script := fmt.Sprintf(standIn, enter, program, strings.Join(slices.Concat(built.Entrypoint, built.Default), " "), strings.Join(built.Healthcheck, " "))

	r := newReader(t, "docker-synapse", followed)
	in(t, r.machine, "cat > /usr/local/bin/docker <<'STANDIN'\n"+script+"STANDIN\nchmod +x /usr/local/bin/docker")
	r.follow("docker.md", "")
	r.follow("docker.md", "Beside a homeserver on this machine")
	learnSecrets(t, r.machine, "docker-secrets", `"$(cat /run/where)"/data`)
	createsAToken(t, r.Synapse, inMachine{r.machine})
}
