//go:build goolm

package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"matrix-registration-bot/config"
)

var update = flag.Bool("update", false, "write the example files")

// execution executes a command line.
func execution(args ...string) (code int, stdout, stderr string) {
	var out, errs strings.Builder
	code = execute(args, surroundings{stdout: &out, stderr: &errs})
	return code, out.String(), errs.String()
}

// initIn runs init with the flags that it needs, and more.
func initIn(folder string, more ...string) (code int, stdout, stderr string) {
	return execution(append([]string{
		"init", "--domain", "example.com", "--homeserver", "http://localhost:8008", "--admin", "@you:example.com", "--dir", folder,
	}, more...)...)
}

// mustInit is for tests that are about what comes after.
func mustInit(t *testing.T, folder string, more ...string) {
	t.Helper()
	if code, _, stderr := initIn(folder, more...); code != exitFine {
		t.Fatalf("init ended with %d: %s", code, stderr)
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestInitWritesWhatRunReadsWithoutAWarning(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new", "bot")
	mustInit(t, folder, "--listen", "127.0.0.1:1234", "--database", "postgres://bot:pass%20word@db/bot")

	cfg, err := config.Load(filepath.Join(folder, "config.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := config.LoadRegistration(cfg.Appservice.Registration)
	if err != nil {
		t.Fatal(err)
	}
	warnings, err := config.Check(cfg, reg)
	if err != nil {
		t.Fatal(err)
	}
	if warnings = append(warnings, cfg.Warnings...); len(warnings) != 0 {
		t.Errorf("warnings: %q, want none", warnings)
	}

	for what, got := range map[string][2]string{
		"bot":      {cfg.BotUserID(), "@registration-bot:example.com"},
		"address":  {cfg.Homeserver.Address, "http://localhost:8008"},
		"listen":   {cfg.Appservice.Listen, "127.0.0.1:1234"},
		"url":      {reg.URL, "http://127.0.0.1:1234"},
		"database": {cfg.Database.URI, "postgres://bot:pass%20word@db/bot"},
		"sender":   {reg.SenderLocalpart, "_registration-bot"},
		"you":      {cfg.Permissions["@you:example.com"], "admin"},
		"others":   {cfg.Permissions["example.com"], "inviter"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %q, want %q", what, got[0], got[1])
		}
	}
}

func TestInitDrawsItsSecrets(t *testing.T) {
	seen := map[string]bool{}
	for range 2 {
		old, err := findInstallation(initiated(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{old.AsToken, old.HsToken, old.PickleKey} {
			if len(secret) < 50 || seen[secret] {
				t.Errorf("%q is short or was there before", secret)
			}
			seen[secret] = true
		}
	}
}

// initiated is a folder after init.
func initiated(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	mustInit(t, folder)
	return folder
}

func TestNobodyElseCanReadWhatInitWrites(t *testing.T) {
	folder := initiated(t)
	expectModes(t, folder)

	// Not even if the files that it replaces were open to all.
	for _, name := range []string{"config.yaml", "registration.yaml"} {
		if err := os.Chmod(filepath.Join(folder, name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	mustInit(t, folder, "--force")
	expectModes(t, folder)
}

// expectModes checks the two files, and that nothing else is in the folder.
func expectModes(t *testing.T, folder string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, info.Mode().String()+" "+entry.Name())
	}
	if want := "-rw------- config.yaml, -rw-r----- registration.yaml"; strings.Join(got, ", ") != want {
		t.Errorf("the folder holds %s, want %s", strings.Join(got, ", "), want)
	}
}

func TestInitLeavesLocalUsersOutIfToldSo(t *testing.T) {
	folder := t.TempDir()
	mustInit(t, folder, "--local-users", "none")
	cfg, err := config.Load(filepath.Join(folder, "config.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Permissions) != 1 || cfg.Permissions["@you:example.com"] != "admin" {
		t.Errorf("permissions are %v, want only the admin", cfg.Permissions)
	}
}

func TestInitOverwritesNothingUnlessForced(t *testing.T) {
	for _, name := range []string{"config.yaml", "registration.yaml"} {
		folder := t.TempDir()
		if err := os.WriteFile(filepath.Join(folder, name), []byte("mine: true\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := initIn(folder)
		if code != exitWrong || !strings.Contains(stderr, "--force") {
			t.Errorf("with a %s init ended with %d (%s), want %d and a word about --force", name, code, stderr, exitWrong)
		}
		if got := read(t, folder, name); got != "mine: true\n" {
			t.Errorf("%s is now %q", name, got)
		}
	}
}

func TestForceKeepsTheSecrets(t *testing.T) {
	folder := initiated(t)
	before := read(t, folder, "config.yaml") + read(t, folder, "registration.yaml")

	mustInit(t, folder, "--force")
	if after := read(t, folder, "config.yaml") + read(t, folder, "registration.yaml"); after != before {
		t.Errorf("a second init changed something:\n%s\nbefore:\n%s", after, before)
	}

	mustInit(t, folder, "--force", "--listen", "127.0.0.1:1234")
	changed := strings.ReplaceAll(before, "127.0.0.1:29350", "127.0.0.1:1234")
	if after := read(t, folder, "config.yaml") + read(t, folder, "registration.yaml"); after != changed {
		t.Errorf("another port changed something else too:\n%s\nwant:\n%s", after, changed)
	}
}

func TestForceKeepsTheSecretsOfTheOneFileThatIsLeft(t *testing.T) {
	folder := initiated(t)
	before := read(t, folder, "registration.yaml")
	if err := os.Remove(filepath.Join(folder, "config.yaml")); err != nil {
		t.Fatal(err)
	}
	mustInit(t, folder, "--force")
	if after := read(t, folder, "registration.yaml"); after != before {
		t.Errorf("registration.yaml changed to:\n%s\nwant:\n%s", after, before)
	}
}

func TestForceGivesUpOnSecretsThatItCannotRead(t *testing.T) {
	folder := initiated(t)
	path := filepath.Join(folder, "registration.yaml")
	if err := os.WriteFile(path, []byte("as_token: [\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := initIn(folder, "--force")
	if code != exitFailed || !strings.Contains(stderr, path) {
		t.Errorf("init ended with %d: %s; want %d and the file", code, stderr, exitFailed)
	}
	if got := read(t, path); got != "as_token: [\n" {
		t.Errorf("registration.yaml is now %q", got)
	}
}

func TestNewSecretsAreMadeOnDemand(t *testing.T) {
	folder := initiated(t)
	before, _ := findInstallation(folder)
	mustInit(t, folder, "--force", "--new-secrets")
	after, _ := findInstallation(folder)
	if before.AsToken == after.AsToken || before.HsToken == after.HsToken || before.PickleKey == after.PickleKey {
		t.Errorf("secrets were %v and are %v, want all new", before.secrets, after.secrets)
	}
}

func TestNewSecretsAreRefusedWhileADatabaseMayNeedTheOldOnes(t *testing.T) {
	touch := func(t *testing.T, path string) {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, prepare := range map[string]func(t *testing.T, folder string) []string{
		"the database of the flags exists": func(t *testing.T, folder string) []string {
			mustInit(t, folder)
			touch(t, filepath.Join(folder, "registration-bot.db"))
			return []string{"--force", "--new-secrets"}
		},
		"the database of the old config exists": func(t *testing.T, folder string) []string {
			mustInit(t, folder, "--database", "sqlite:"+filepath.Join(folder, "old.db"))
			touch(t, filepath.Join(folder, "old.db"))
			return []string{"--force", "--new-secrets"}
		},
		"only the config was removed": func(t *testing.T, folder string) []string {
			mustInit(t, folder)
			touch(t, filepath.Join(folder, "registration-bot.db"))
			if err := os.Remove(filepath.Join(folder, "config.yaml")); err != nil {
				t.Fatal(err)
			}
			return []string{"--force"}
		},
		"both files were removed": func(t *testing.T, folder string) []string {
			touch(t, filepath.Join(folder, "registration-bot.db"))
			return nil
		},
		"the old config names PostgreSQL": func(t *testing.T, folder string) []string {
			mustInit(t, folder, "--database", "postgres://localhost/bot")
			return []string{"--force", "--new-secrets"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			args := prepare(t, folder)
			before, _ := findInstallation(folder)
			code, _, stderr := initIn(folder, args...)
			if code != exitWrong || !strings.Contains(stderr, "no new secrets") {
				t.Errorf("init ended with %d: %s; want %d and why", code, stderr, exitWrong)
			}
			if after, _ := findInstallation(folder); after != before {
				t.Errorf("the secrets changed from %v to %v", before, after)
			}
		})
	}
}

func TestAnExistingDatabaseIsNoObstacleIfTheSecretsStay(t *testing.T) {
	folder := initiated(t)
	if err := os.WriteFile(filepath.Join(folder, "registration-bot.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mustInit(t, folder, "--force")
}

func TestInitBlamesTheFlag(t *testing.T) {
	for _, test := range []struct{ flag, value, want string }{
		{"--domain", "https://example.com", `--domain: "https://example.com" is not a server name like example.com, the part after the colon in user ids`},
		{"--homeserver", "localhost:8008", `--homeserver: is not a URL like http://localhost:8008 or https://matrix.example.com`},
		{"--admin", "you", `--admin: "you" is not a user id like @anna:example.com`},
		{"--admin", "@you", `--admin: is not a whole user id: the server name is missing, as in @anna:example.com`},
		{"--listen", "29350", `--listen: "29350" is not an address and port like 127.0.0.1:29350`},
		{"--listen", "0.0.0.0:29350", `--url: is needed, as 0.0.0.0:29350 does not say where the homeserver reaches the bot`},
		{"--listen", ":29350", `--url: is needed, as :29350 does not say where the homeserver reaches the bot`},
		{"--url", "bot:29350", `--url: "bot:29350" is not a URL like http://127.0.0.1:29350`},
		{"--database", "bot.db", `--database: begins neither with sqlite: nor with postgres://`},
		{"--local-users", "admin", `--local-users must be one of "inviter","none" but got "admin" (see --help)`},
		{"-c", "config.yaml", `init takes no -c: it writes config.yaml into --dir`},
	} {
		folder := filepath.Join(t.TempDir(), "new")
		code, stdout, stderr := initIn(folder, test.flag, test.value)
		if want := "matrix-registration-bot: " + test.want + "\n"; code != exitWrong || stderr != want || stdout != "" {
			t.Errorf("%s %s: ended with %d: %s%s\nwant %d: %s", test.flag, test.value, code, stdout, stderr, exitWrong, want)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s %s: something was written", test.flag, test.value)
		}
	}
}

func TestInitNeedsToKnowTheServerAndTheAdmin(t *testing.T) {
	code, _, stderr := execution("init")
	want := "matrix-registration-bot: missing flags: --admin=@USER:NAME, --domain=NAME, --homeserver=URL (see --help)\n"
	if code != exitWrong || stderr != want {
		t.Errorf("ended with %d: %s; want %d: %s", code, stderr, exitWrong, want)
	}
}

func TestInitSaysWhatToDoNext(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "my bot")
	code, stdout, stderr := initIn(folder)
	if code != exitFine || stderr != "" {
		t.Fatalf("init ended with %d: %s", code, stderr)
	}
	for _, want := range []string{
		"app_service_config_files:\n  - " + folder + "/registration.yaml\nenable_registration: true\nregistration_requires_token: true\n",
		"\nchgrp matrix-synapse '" + folder + "/registration.yaml'\n",
		"\nmatrix-registration-bot -c '" + folder + "/config.yaml' run\n",
		"\nmatrix-registration-bot -c '" + folder + "/config.yaml' grant-admin --access-token-file FILE\n",
		"\"help\" to @registration-bot:example.com in a direct chat",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("init does not print:\n%s\nit prints:\n%s", want, stdout)
		}
	}
	old, err := findInstallation(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{old.AsToken, old.HsToken, old.PickleKey} {
		if strings.Contains(stdout, secret) {
			t.Error("init prints a secret")
		}
	}
}

func TestWhatTheUnitReadsStaysRoots(t *testing.T) {
	for folder, want := range map[string]string{
		"/etc/matrix-registration-bot": "\nsystemctl enable --now matrix-registration-bot\n",
		"/srv/bot":                     "\nchown BOT_USER /srv/bot/config.yaml /srv/bot/registration.yaml\n",
	} {
		said := nextSteps{Files: []string{folder + "/config.yaml", folder + "/registration.yaml"}, Root: true}.String()
		if !strings.Contains(said, want) || strings.Contains(said, "chown") != strings.Contains(want, "chown") {
			t.Errorf("after writing into %s init prints:\n%s", folder, said)
		}
	}
}

func TestTheExampleFilesAreWhatInitWrites(t *testing.T) {
	flags := initFlags{
		Domain:     "example.com",
		Homeserver: "http://localhost:8008",
		Admin:      "@you:example.com",
		Database:   "sqlite:registration-bot.db",
		Listen:     "127.0.0.1:29350",
		URL:        "http://127.0.0.1:29350",
		LocalUsers: "inviter",
	}
	example := flags.settings(secrets{AsToken: "put a long random text here", HsToken: "put another long random text here"})
	for path, want := range map[string]string{
		"../../config.example.yaml":       string(example.render(configTemplate)),
		"../../registration.yaml.example": string(example.render(registrationTemplate)),
	} {
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := read(t, path); got != want {
			t.Errorf("%s differs from the template of init: run `go generate ./config`", path)
		}
	}
}

func TestTheNamespaceMatchesTheBotAlone(t *testing.T) {
	namespace := regexp.MustCompile(settings{Username: "reg.bot+x", Domain: "example.com"}.Namespace())
	for user, want := range map[string]bool{
		"@reg.bot+x:example.com":   true,
		"@reg-bot+x:example.com":   false,
		"@reg.bot+x:examplexcom":   false,
		"@reg.bot+x:example.com.x": false,
		"x@reg.bot+x:example.com":  false,
	} {
		if got := namespace.MatchString(user); got != want {
			t.Errorf("%s matches: %t, want %t", user, got, want)
		}
	}
}
