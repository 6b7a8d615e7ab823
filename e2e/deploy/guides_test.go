//go:build e2e

package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
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

// block is a piece of code in a page for admins. The page is its path in the
// repository, and file is where an admin is to put the block.
type block struct {
	page, heading, language, text, file string
}

const followsAnsible = "TestTheAnsibleRoleSetsUpABotThatMakesTokens follows it"

// notFollowed are shell blocks that the tests here leave out, by a text in them.
var notFollowed = []struct{ page, holds, why string }{
	{"CONTRIBUTING.md", "", "for those who change the program"},
	{"docs/backup.md", "pg_dump", "e2e.TestBackupAndRestore follows it"},
	{"docs/backup.md", "pg_restore", "e2e.TestBackupAndRestore follows it"},
	{"docs/moving.md", "mas-cli", "there is no MAS"},
	{ansiblePage, "cp -r ../matrix-registration-bot", followsAnsible},
	{playbookPage, "ansible-playbook -i inventory/hosts", followsAnsible},
	{playbookPage, "docker exec matrix-bot-registration", followsAnsible},
}

var (
	fence   = regexp.MustCompile("(?ms)^##+ ([^\n]*)$|^```([a-z]+)\n(.*?)^```$")
	putInto = regexp.MustCompile("[Pp]ut this into `(/[^`]+)`")
)

// blocksOf returns the blocks of a page in their order.
func blocksOf(t *testing.T, page string) (blocks []block) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	heading, end := "", 0 // of what was last
	for _, at := range fence.FindAllSubmatchIndex(text, -1) {
		before := text[end:at[0]]
		end = at[1]
		if at[2] >= 0 {
			heading = string(text[at[2]:at[3]])
			continue
		}
		b := block{page: page, heading: heading, language: string(text[at[4]:at[5]]), text: string(text[at[6]:at[7]])}
		if file := putInto.FindSubmatch(before); file != nil {
			b.file = string(file[1])
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// allPages are those of the repository that people read.
func allPages(t *testing.T) (pages []string) {
	t.Helper()
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/install/*.md", "deploy/ansible/docs/*.md"} {
		found, err := fs.Glob(os.DirFS(root), pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, found...)
	}
	return pages
}

func TestEveryBlockOfThePagesCanBeParsed(t *testing.T) {
	for _, page := range allPages(t) {
		for _, b := range blocksOf(t, page) {
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
	followed map[block]bool
}

// exampleIsLab puts the lab's server where the pages say example.com.
var exampleIsLab = strings.NewReplacer("example.com", "lab.test")

// password is what readers choose.
const password = "a long password of theirs"

// newReader makes a machine with a Synapse as Debian's package installs it, and
// what the pages call example.com is the lab's server.
func newReader(t *testing.T, name string, followed map[block]bool) *reader {
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
		"--admin @you:example.com --url http://127.0.0.1:29350", fmt.Sprintf("--admin @anna:lab.test --url http://127.0.0.1:%d", port),
		"@you:example.com", fmt.Sprintf("@anna:lab.test --listen 127.0.0.1:%d", port),
		"https://matrix.example.com", "https://matrix.lab.test",
		"example.com", "lab.test",
		"http://localhost:8008", synapse.URL,
	), followed}
}

// follow does what the shell blocks under a heading of a page say, and puts those
// into files for which it names one. What stands before the first heading has an
// empty one. Only the blocks that hold a text are followed, if one is given. It
// returns what was printed.
func (r *reader) follow(page, heading string, holds ...string) (printed string) {
	r.Helper()
	ran := false
	for _, b := range blocksOf(r.T, page) {
		if b.heading != heading || holds != nil && !strings.Contains(b.text, holds[0]) {
			continue
		}
		switch {
		case b.language == "sh":
			printed += r.run(b)
			ran = true
		case b.file != "":
			in(r.T, r.machine, fmt.Sprintf("cat >> %s <<'END'\n%sEND", b.file, r.replace.Replace(b.text)))
		}
	}
	if !ran {
		r.Fatalf("%s has no shell block under %q", page, heading)
	}
	return printed
}

// run runs a shell block, and answers what it asks.
func (r *reader) run(b block) string {
	r.Helper()
	r.prepare(b.text)
	// The reader stays in one shell.
	command := r.machine.Command(r.Context(), "cd \"$(cat /run/where)\"\n"+r.replace.Replace(b.text)+"\npwd > /run/where")
	command.Stdin = strings.NewReader("y\n")
	if strings.Contains(b.text, "register_new_matrix_user") {
		command.Stdin = strings.NewReader("you\n" + password + "\n" + password + "\n")
	}
	out, err := command.CombinedOutput()
	if err != nil {
		r.Fatalf("%s, %q: %s%v\n%s", b.page, b.heading, b.text, err, out)
	}
	r.Logf("%s, %q:\n%s", b.page, b.heading, out)
	r.followed[b] = true
	return string(out)
}

// does runs lines that a command has printed for the reader to run.
func (r *reader) does(printed string, lines ...string) {
	r.Helper()
	for _, line := range lines {
		found := regexp.MustCompile("(?m)^" + line + ".*$").FindString(printed)
		if found == "" {
			r.Fatalf("there is no line that begins with %s in:\n%s", line, printed)
		}
		in(r.T, r.machine, strings.ReplaceAll(found, "ACCESS_TOKEN", r.AccessToken()))
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
	if first, _, _ := strings.Cut(script, "\n"); strings.HasSuffix(first, " doctor") {
		r.must(r.machine.Until(r.Context(), "doctor is content", func(ctx context.Context) error {
			said, err := r.machine.Run(ctx, `cd "$(cat /run/where)"; `+first)
			if err == nil && strings.Contains(said, "warning ") {
				err = errors.New(said)
			}
			return err
		}))
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

// cd is for readers who were told which folder is meant.
func (r *reader) cd(folder string) { in(r.T, r.machine, "cd "+folder+"; pwd > /run/where") }

// lose removes the bot's files, and with them what it knows.
func (r *reader) lose() {
	r.cd("/srv/reader")
	in(r.T, r.machine, `systemctl stop matrix-registration-bot
		rm -r /etc/matrix-registration-bot /var/lib/matrix-registration-bot /var/lib/private/matrix-registration-bot`)
}

// keys returns those of the bot.
func (r *reader) keys() string {
	return in(r.T, r.machine, "matrix-registration-bot -c /etc/matrix-registration-bot/config.yaml fingerprint")
}

func TestThePagesCanBeFollowedWordForWord(t *testing.T) {
	followed := map[block]bool{}
	t.Run("package, archive and source", func(t *testing.T) { followsPackages(t, followed) })
	t.Run("container, with a stand-in for Docker", func(t *testing.T) { followsDocker(t, followed) })
	t.Run("nothing is left out", func(t *testing.T) {
		for _, page := range allPages(t) {
			for _, b := range blocksOf(t, page) {
				if b.language == "sh" && !followed[b] && !slices.ContainsFunc(notFollowed, func(n struct{ page, holds, why string }) bool {
					return n.page == b.page && strings.Contains(b.text, n.holds)
				}) {
					t.Errorf("nobody has followed %s, %q:\n%s", b.page, b.heading, b.text)
				}
			}
		}
	})
}

func followsPackages(t *testing.T, followed map[block]bool) {
	files := released(t)
	for program, debianPackage := range map[string]string{"man": "man-db", "sudo": "sudo", "sqlite3": "sqlite3"} {
		installed(t, program, debianPackage)
	}
	r := newReader(t, "guide-synapse", followed)
	in(t, r.machine, "cp "+files+"/* /srv/reader")

	const page = "docs/install/package.md"
	r.follow(page, "1. Install it")
	in(t, r.machine, `
		systemd-analyze verify matrix-registration-bot.service
		man --where matrix-registration-bot matrix-registration-bot-init
		bash -n /usr/share/bash-completion/completions/matrix-registration-bot`)
	for _, step := range []string{"2. Write its config", "3. Start it", "4. Tell Synapse of it"} {
		r.follow(page, step)
	}
	learnSecrets(t, r.machine, "guide-secrets", "/etc/matrix-registration-bot")
	r.follow(page, "5. Make it a server admin")
	r.follow(page, "6. See whether all is well")
	createsAToken(t, r.Synapse, inMachine{r.machine})
	r.follow(page, "Changing the config")
	r.runs()

	before := in(t, r.machine, "systemctl show -P MainPID matrix-registration-bot")
	r.follow("docs/install/upgrading.md", "Package")
	if after := in(t, r.machine, "systemctl show -P MainPID matrix-registration-bot"); after == before {
		t.Error("the bot was not restarted by the upgrade")
	}

	r.follow(page, "Removing it")
	if left := in(t, r.machine, `dpkg -l matrix-registration-bot | grep ^ii || true
		ls /usr/bin/matrix-registration-bot /usr/lib/systemd/system/matrix-registration-bot.service 2>/dev/null || true
		systemctl is-active matrix-registration-bot | grep -v inactive || true`); left != "" {
		t.Errorf("after removing the package there still is %s", left)
	}
	in(t, r.machine, "test -e /etc/matrix-registration-bot/config.yaml -a -e /var/lib/private/matrix-registration-bot/registration-bot.db")

	r.follow("docs/install/archive.md", "")
	r.follow("docs/install/upgrading.md", "Archive, source")
	r.runs()

	r.cd("/srv/reader")
	r.follow("docs/install/source.md", "")
	r.follow("docs/install/upgrading.md", "Archive, source")
	r.runs()

	r.lose()
	r.follow("docs/install/homeserver.md", "Two machines")
	in(t, r.machine, "rm -r /etc/matrix-registration-bot /usr/bin/matrix-registration-bot /etc/systemd/system/matrix-registration-bot.service")

	r.must(r.Afresh(t.Context(), r.machine))
	r.followsReadme()
	r.keepsTheBot()
}

// followsReadme is for a machine without the bot.
func (r *reader) followsReadme() {
	in(r.T, r.machine, "git clone --quiet /srv/matrix-registration-bot.git /srv/readme")
	r.cd("/srv/readme")
	r.follow("README.md", "Try it")
	if said := r.follow("README.md", "Install"); !strings.Contains(said, "[y/N]") {
		r.Errorf("grant-admin did not ask: %s", said)
	}
	learnSecrets(r.T, r.machine, "readme-secrets", "/etc/matrix-registration-bot")
	createsAToken(r.T, r.Synapse, inMachine{r.machine})
}

// keepsTheBot follows what the pages say on a bot that is installed: on secrets in
// wrong hands, backups, lost keys, and on moving over to it from the old bot.
func (r *reader) keepsTheBot() {
	healthy := func() {
		r.Helper()
		r.cd("/etc/matrix-registration-bot")
		r.follow("docs/troubleshooting.md", "")
	}
	in(r.T, r.machine, "cp /etc/matrix-registration-bot/registration.yaml /srv")
	r.follow("docs/security.md", "What you can do")
	if changed := in(r.T, r.machine, "diff /srv/registration.yaml /etc/matrix-registration-bot/registration.yaml | grep -c '^> .s_token: \"[0-9a-f]*\"$' || true"); changed != "2" {
		r.Errorf("%s secrets are new, not 2", changed)
	}
	learnSecrets(r.T, r.machine, "new-secrets", "/etc/matrix-registration-bot")
	healthy()

	keys := r.keys()
	r.follow("docs/backup.md", "Make a backup", "sqlite3")
	r.lose()
	r.follow("docs/backup.md", "Restore", "/registration-bot.db")
	r.follow("docs/backup.md", "Restore", "systemctl start")
	if now := r.keys(); now != keys {
		r.Errorf("the restored bot has the keys\n%s\nnot\n%s", now, keys)
	}

	r.follow("docs/encryption.md", "Starting afresh")
	healthy()
	if r.keys() == keys {
		r.Error("the bot that started afresh has the keys that it had before")
	}

	r.lose()
	in(r.T, r.machine, `mkdir -p /matrix/matrix-registration-bot
		cd /matrix/matrix-registration-bot
		printf 'bot:\n  server: `+r.URL+`\n  username: registration-bot\n  password: a long password\n' > config.yml
		printf '[simplematrixbotlib.config]\nallowlist = ["@ben:lab.test"]\n' > config.toml`)
	r.follow("docs/moving.md", "Step by step", "--dry-run")
	said := r.follow("docs/moving.md", "Step by step", "registration-bot.db\n")
	learnSecrets(r.T, r.machine, "moving-secrets", "/etc/matrix-registration-bot")
	r.does(said, "curl", "chgrp matrix-synapse", "systemctl restart matrix-synapse", "systemctl enable --now")
	healthy()
}
