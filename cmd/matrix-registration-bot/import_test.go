//go:build goolm

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rs/zerolog"

	"matrix-registration-bot/access"
	"matrix-registration-bot/config"
	"matrix-registration-bot/store"
)

// What the old bot's README, its example for Docker and the playbook's role make.
const (
	readmeConfig = `bot:
  server: "https://synapse.example.com"
  username: "registration-bot"
  access_token: "verysecret"
  # password: "secretpassword"
  prefix: ""
api:
  # API endpoint of the registration tokens
  base_url: 'https://synapse.example.com'
  # Access token of an administrator on the server.
  token: "supersecret"
logging:
  level: DEBUG/INFO/ERROR
`
	playbookConfig = `bot:
  server: "http://matrix-synapse:8008"
  username: "bot.matrix-registration-bot"
  password: "a-strong-password"
  prefix: "!token "

api:
  # API endpoint of the registration tokens
  base_url: "http://matrix-synapse:8008"

logging:
  level: "ERROR"
`
)

var dockerEnvironment = []string{
	"LOGGING_LEVEL=DEBUG",
	"BOT_SERVER=https://synapse.example.com",
	"BOT_USERNAME=@registration-bot:example.com",
	"BOT_PASSWORD=password",
	"API_BASE_URL=http://synapse:8008",
	"API_TOKEN=syt_xxxxxxxxxxxxxxxxxxxxxxxx",
}

// oldInstallation is a folder with these files of the old bot.
func oldInstallation(t *testing.T, files map[string]string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// importIn moves the old bot in a folder into the folder new within.
func importIn(folder string, environ []string, more ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = execute(append([]string{
		"import", "--domain", "example.com", "--admin", "@you:example.com", "--url", "http://localhost:29350",
		"--dir", filepath.Join(folder, "new"),
	}, more...), surroundings{environ: environ, stdout: &out, stderr: &errs})
	return code, out.String(), errs.String()
}

func mustImport(t *testing.T, folder string, environ []string, more ...string) (stdout string) {
	t.Helper()
	code, stdout, stderr := importIn(folder, environ, more...)
	if code != exitFine {
		t.Fatalf("import ended with %d: %s", code, stderr)
	}
	return stdout
}

// imported is what import has written.
func imported(t *testing.T, folder string) (*config.Config, *config.Registration) {
	t.Helper()
	cfg, err := config.Load(filepath.Join(folder, "new", configFile), nil)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := config.LoadRegistration(cfg.Appservice.Registration)
	if err != nil {
		t.Fatal(err)
	}
	if warnings, err := config.Check(cfg, reg); err != nil || len(warnings) > 0 {
		t.Errorf("the files are wrong: %q, %v", warnings, err)
	}
	return cfg, reg
}

// list is the imported list: roles by pattern.
func list(t *testing.T, folder string) map[string]access.Role {
	t.Helper()
	db, err := store.OpenExisting("sqlite:"+filepath.Join(folder, "new", "registration-bot.db"), zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	entries, err := db.AllowList(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	roles := map[string]access.Role{}
	for _, entry := range entries {
		roles[entry.Pattern] = entry.Role
	}
	return roles
}

func TestImportOfWhatTheREADMESays(t *testing.T) {
	folder := oldInstallation(t, map[string]string{"config.yml": readmeConfig})
	said := mustImport(t, folder, nil, "--config", filepath.Join(folder, "config.yml"))
	mustHold(t, said, "config.yml:2: bot.server = https://synapse.example.com", "-> homeserver.address",
		"left out: the bot logs in with registration.yaml", "bot.prefix was empty", "-> logging.level: info",
		"which let everyone in, on every server. That is not carried over", "delete-all, allow, disallow",
		"Stop the old bot", "/_synapse/admin/v1/reset_password/@registration-bot:example.com", "1. Put this into homeserver.yaml")
	mustNotHold(t, said, "verysecret", "supersecret")

	cfg, reg := imported(t, folder)
	mustEqual(t, map[string][2]string{
		"bot":     {cfg.BotUserID(), "@registration-bot:example.com"},
		"address": {cfg.Homeserver.Address, "https://synapse.example.com"},
		"api":     {cfg.API.BaseURL, ""},
		"token":   {cfg.API.Token, "supersecret"},
		"prefix":  {cfg.Bot.Prefix, "!reg"},
		"level":   {cfg.Logging.Level, "info"},
		"listen":  {cfg.Appservice.Listen, "127.0.0.1:29350"},
		"url":     {reg.URL, "http://localhost:29350"},
		"you":     {cfg.Permissions["@you:example.com"], "admin"},
		"others":  {cfg.Permissions["example.com"], ""},
	})
	if got := list(t, folder); len(got) > 0 {
		t.Errorf("the list is %v", got)
	}
}

func TestImportOfThePlaybooksFolder(t *testing.T) {
	folder := oldInstallation(t, map[string]string{
		"config.yaml": playbookConfig,
		"lists.toml": "[simplematrixbotlib.config]\n" +
			"allowlist = [ \"re.compile('@.*:example\\\\.com')\", \"@you:example.com\", \"@(?!x).*\", \"@worse:friends.org\",]\n" +
			"blocklist = [ \"@bad:example.com\", \"@worse:.*\",]\n",
	})
	said := mustImport(t, folder, []string{"CONFIG_PATH=" + filepath.Join(folder, "config.yaml")},
		"--allowlist", filepath.Join(folder, "lists.toml"), "--url", "http://matrix-bot-registration:29350")
	mustHold(t, said, "manager, as /@.*:example\\.com/. The old bot had damaged this entry",
		"left out: config.yaml makes them an admin", "left out: it means something in Python", "left out: the block-list kept them out",
		"@bad:example.com\n      -> refused", "Entries of the allow-list that are managers now: 1.")
	mustNotHold(t, said, "a-strong-password", "which let everyone in")

	cfg, _ := imported(t, folder)
	mustEqual(t, map[string][2]string{
		"bot":    {cfg.BotUserID(), "@bot.matrix-registration-bot:example.com"},
		"prefix": {cfg.Bot.Prefix, "!token"},
		"level":  {cfg.Logging.Level, "error"},
		"listen": {cfg.Appservice.Listen, "0.0.0.0:29350"},
	})
	got := list(t, folder)
	if len(got) != 3 || got[`/@.*:example\.com/`] != access.Manager || got["@bad:example.com"] != access.None || got["/@worse:.*/"] != access.None {
		t.Errorf("the list is %v", got)
	}
}

func TestImportOfAContainersEnvironment(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	mustImport(t, folder, dockerEnvironment)
	cfg, _ := imported(t, folder)
	mustEqual(t, map[string][2]string{
		"bot":   {cfg.BotUserID(), "@registration-bot:example.com"},
		"api":   {cfg.API.BaseURL, "http://synapse:8008"},
		"token": {cfg.API.Token, "syt_xxxxxxxxxxxxxxxxxxxxxxxx"},
		"level": {cfg.Logging.Level, "debug"},
	})
}

func TestImportShowsNoSecretOfAnybody(t *testing.T) {
	folder := oldInstallation(t, map[string]string{
		"config.yml": readmeConfig + "  file: /var/log/k3pt-path\nbot2:\n  recovery_key: k3pt-key\nadmin:\n  token: k3pt-token\n",
		"named.yml":  strings.Replace(readmeConfig, "https://", "https://me:k3pt-word@", 1),
	})
	said := mustImport(t, folder, nil, "--config", filepath.Join(folder, "config.yml"), "--dry-run")
	mustHold(t, said, "logging.level = DEBUG/INFO/ERROR", "bot.access_token = (a secret)", "bot2.recovery_key = (not shown)")
	mustNotHold(t, said, "k3pt")

	code, said, refusal := importIn(folder, nil, "--config", filepath.Join(folder, "named.yml"))
	mustHold(t, refusal, "without user name")
	mustNotHold(t, said+refusal, "k3pt")
	if code != exitWrong {
		t.Errorf("import ended with %d", code)
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	folder := oldInstallation(t, map[string]string{
		"config.yml":  readmeConfig,
		"config.toml": "[simplematrixbotlib.config]\nallowlist = [\"@anna:example.com\"]\n",
	})
	said := mustImport(t, folder, nil, "--config", filepath.Join(folder, "config.yml"), "--dry-run")
	mustHold(t, said, "@anna:example.com\n      -> manager", "Nothing was written")
	if _, err := os.Stat(filepath.Join(folder, "new")); !os.IsNotExist(err) {
		t.Errorf("there is a folder: %v", err)
	}
}

func TestImportAgainKeepsTheSecrets(t *testing.T) {
	folder := oldInstallation(t, map[string]string{"config.yml": readmeConfig})
	flags := []string{"--config", filepath.Join(folder, "config.yml")}
	mustImport(t, folder, nil, flags...)
	_, before := imported(t, folder)
	if code, _, stderr := importIn(folder, nil, flags...); code != exitWrong || !strings.Contains(stderr, "--force") {
		t.Errorf("the second import ended with %d: %s", code, stderr)
	}
	mustImport(t, folder, nil, append(flags, "--force")...)
	if _, after := imported(t, folder); after.AsToken != before.AsToken || after.HsToken != before.HsToken {
		t.Error("the secrets have changed")
	}
}

func TestImportThatCanNotBeDoneWritesNothing(t *testing.T) {
	folder := oldInstallation(t, map[string]string{
		"config.yml":   readmeConfig,
		"broken.yml":   "bot:\n\tserver: x\n",
		"bad-name.yml": strings.Replace(readmeConfig, "registration-bot", "Registration Bot", 1),
		"bad-url.yml":  strings.Replace(readmeConfig, "https://synapse.example.com", "synapse.example.com", 1),
		"no-user.yml":  "bot:\n  server: https://synapse.example.com\n",
		"broken.toml":  "[simplematrixbotlib.config]\nallowlist = [\n",
		"blocked.toml": "[simplematrixbotlib.config]\nblocklist = [\"@(?!anna).*\"]\n",
	})
	in := func(name string) string { return filepath.Join(folder, name) }
	for name, test := range map[string]struct {
		flags   []string
		environ []string
		says    string
	}{
		"no url":          {flags: []string{"--url", ""}, says: "--url"},
		"no domain":       {flags: []string{"--domain", ""}, says: "--domain"},
		"admin":           {flags: []string{"--admin", "you"}, says: "--admin"},
		"listen":          {flags: []string{"--listen", "x"}, says: "--listen"},
		"no config":       {flags: []string{"--config", in("none.yml")}, says: "none.yml"},
		"no settings":     {flags: []string{"--config", ""}, says: "config.yml (no such file"},
		"broken config":   {flags: []string{"--config", in("broken.yml")}, says: "line 2"},
		"no username":     {flags: []string{"--config", in("no-user.yml")}, says: "bot.username"},
		"username":        {flags: []string{"--config", in("bad-name.yml")}, says: "bot.username of the old bot"},
		"server":          {flags: []string{"--config", in("bad-url.yml")}, says: "bot.server of the old bot"},
		"another domain":  {environ: []string{"BOT_USERNAME=@bot:example.org"}, says: "BOT_USERNAME: bot.username: @bot:example.org is not on example.com"},
		"no such list":    {flags: []string{"--allowlist", in("none.toml")}, says: "none.toml"},
		"broken list":     {flags: []string{"--allowlist", in("broken.toml")}, says: "broken.toml:"},
		"blocked for all": {flags: []string{"--allowlist", in("blocked.toml")}, says: "@(?!anna).* of the block-list can't be carried over"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			code, _, stderr := importIn(folder, test.environ, append([]string{"--config", in("config.yml")}, test.flags...)...)
			if code != exitWrong || !strings.Contains(stderr, test.says) {
				t.Errorf("import ended with %d: %s", code, stderr)
			}
			if _, err := os.Stat(in("new")); !os.IsNotExist(err) {
				t.Errorf("there is a folder: %v", err)
			}
		})
	}
}

func mustHold(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("import does not say %q:\n%s", part, text)
		}
	}
}

func mustNotHold(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(text, part) {
			t.Errorf("import says %q:\n%s", part, text)
		}
	}
}

// mustEqual compares got and want, by what they are.
func mustEqual(t *testing.T, pairs map[string][2]string) {
	t.Helper()
	for what, pair := range pairs {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q, want %q", what, pair[0], pair[1])
		}
	}
}

// The user that runs the bot can put anything into its folder.
func TestImportGivesAwayNoFileThatALinkLeadsTo(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root gives files away")
	}
	folder, precious := t.TempDir(), filepath.Join(t.TempDir(), "precious")
	link := filepath.Join(folder, "registration-bot.db")
	if err := errors.Join(os.WriteFile(precious, nil, 0o600), os.Symlink(precious, link), os.Chown(folder, 12345, 12345)); err != nil {
		t.Fatal(err)
	}
	if err := giveToFolder([]string{link}); err != nil {
		t.Fatal(err)
	}
	owners := map[string]uint32{precious: 0, link: 12345}
	for path, want := range owners {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; owner != want {
			t.Errorf("%s belongs to %d, want %d", path, owner, want)
		}
	}
}
