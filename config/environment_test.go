package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheEnvironmentWinsOverTheFile(t *testing.T) {
	cfg, err := Parse("config.yaml", []byte(fine+"api: {token: from-the-file}\n"), []string{
		"API_TOKEN=12345", "CREATE_USES=3", "CREATE_EXPIRES=2w", "ENCRYPTION_REQUIRED=true", "LOGGING_LEVEL=Warning",
		"LIMITS_INVITER_OPEN=7", "BOT_PREFIX=!reg", "BOT_DISPLAYNAME=null", "API_TYPE=", "UNRELATED=x", "BROKEN",
		`PERMISSIONS={"@a:b": admin, "b": inviter}`, "CREATE_MESSAGE={de: 'Code: {code}'}",
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, got := range map[string][2]any{
		"api.token":           {cfg.API.Token, "12345"}, // a text, though YAML sees a number
		"api.type":            {cfg.API.Type, "auto"},   // empty is as good as none
		"bot.prefix":          {cfg.Bot.Prefix, "!reg"},
		"bot.displayname":     {cfg.Bot.Displayname, "null"},
		"create.uses":         {cfg.Create.Uses, 3},
		"create.expires":      {cfg.Create.Expires, 14 * 24 * time.Hour},
		"create.message":      {cfg.Create.Message["de"], "Code: {code}"},
		"encryption.required": {cfg.Encryption.Required, true},
		"limits.inviter.open": {cfg.Limits.Inviter.Open, 7},
		"logging.level":       {cfg.Logging.Level, "warn"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %v, want %v", key, got[0], got[1])
		}
	}
	if want := map[string]string{"@a:b": "admin", "b": "inviter"}; !reflect.DeepEqual(cfg.Permissions, want) {
		t.Errorf("permissions are %v, want %v", cfg.Permissions, want)
	}

	wantKeys := []string{
		"api.token", "bot.displayname", "bot.prefix", "create.expires", "create.message", "create.uses", "encryption.required",
		"limits.inviter.open", "logging.level", "permissions",
	}
	if got := slices.Sorted(slices.Values(cfg.FromEnvironment)); !slices.Equal(got, wantKeys) {
		t.Errorf("from the environment: %q, want %q", got, wantKeys)
	}
}

func TestAValueCanStandInAFileThatTheEnvironmentNames(t *testing.T) {
	folder := t.TempDir()
	secret, permissions := filepath.Join(folder, "secret"), filepath.Join(folder, "permissions")
	for path, content := range map[string]string{secret: "s3cret\n", permissions: "\"@a:b\": admin\nb: none\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := Parse("config.yaml", []byte(fine), []string{"API_TOKEN_FILE=" + secret, "PERMISSIONS_FILE=" + permissions, "API_TOKEN="})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.API.Token != "s3cret" {
		t.Errorf("api.token is %q, want the content of the file without its line end", cfg.API.Token)
	}
	if cfg.Permissions["b"] != "none" {
		t.Errorf("permissions are %v, want those of the file", cfg.Permissions)
	}
	if want := []string{"api.token", "permissions"}; !slices.Equal(cfg.FromEnvironment, want) {
		t.Errorf("from the environment: %q, want %q", cfg.FromEnvironment, want)
	}
}

func TestAWrongEnvironmentIsToldByName(t *testing.T) {
	folder := t.TempDir()
	empty := filepath.Join(folder, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	absent := filepath.Join(folder, "absent")

	for name, test := range map[string]struct {
		environ []string
		want    string
	}{
		"value and file":      {[]string{"API_TOKEN=a", "API_TOKEN_FILE=" + empty}, `environment: api.token: set by API_TOKEN and API_TOKEN_FILE: keep one of them`},
		"old and new name":    {[]string{"BOT_SERVER=http://a", "HOMESERVER_ADDRESS=http://b"}, `environment: homeserver.address: set by HOMESERVER_ADDRESS and BOT_SERVER: keep one of them`},
		"absent file":         {[]string{"API_TOKEN_FILE=" + absent}, `environment variable API_TOKEN_FILE: api.token: reading the value: open ` + absent + `: no such file or directory`},
		"empty file":          {[]string{"API_TOKEN_FILE=" + empty}, `environment variable API_TOKEN_FILE: api.token: reading the value: ` + empty + ` is empty`},
		"no number":           {[]string{"CREATE_USES=many"}, `environment variable CREATE_USES: create.uses: must be a whole number`},
		"null as number":      {[]string{"CREATE_USES=null"}, `environment variable CREATE_USES: create.uses: must be a whole number`},
		"no switch":           {[]string{"ENCRYPTION_ENABLED=1"}, `environment variable ENCRYPTION_ENABLED: encryption.enabled: must be true or false`},
		"no span":             {[]string{"CREATE_EXPIRES=7"}, `environment variable CREATE_EXPIRES: create.expires: not a time span like 30m, 12h, 7d or 2w`},
		"bad value":           {[]string{"BOT_SERVER=localhost"}, `environment variable BOT_SERVER: homeserver.address: is not a URL like http://localhost:8008 or https://matrix.example.com`},
		"permissions in text": {[]string{"PERMISSIONS=admin"}, `environment variable PERMISSIONS: permissions: must hold entries like "name": value, one a line`},
		"permissions no YAML": {[]string{"PERMISSIONS={"}, `environment variable PERMISSIONS:1: permissions: not YAML: did not find expected node content`},
		"permission unknown":  {[]string{`PERMISSIONS={"@a:b": owner}`}, `environment variable PERMISSIONS:1: permissions.@a:b: "owner" is not none, inviter, manager or admin`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("config.yaml", []byte(fine), test.environ)
			expectProblems(t, err, test.want)
		})
	}
}

func TestAnErrorNeverShowsASecret(t *testing.T) {
	for _, name := range []string{"API_TOKEN", "API_CLIENT_SECRET", "DATABASE_URI", "ENCRYPTION_PICKLE_KEY", "HOMESERVER_ADDRESS", "API_BASE_URL"} {
		_, err := Parse("config.yaml", []byte("nonsense: {}"), []string{name + "=postgres://me:s3cret@host:port"})
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

func TestTheOldBotsVariables(t *testing.T) {
	text := strings.Replace(fine, "  address: http://localhost:8008\n", "", 1)
	cfg, err := Parse("config.yaml", []byte(text), []string{
		"BOT_SERVER=https://matrix.example.com/", "BOT_PASSWORD=x", "BOT_ACCESS_TOKEN=x", "API_USERNAME=x", "API_PASSWORD=", "LOGGING_LEVEL=DEBUG",
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "https://matrix.example.com"; cfg.Homeserver.Address != want {
		t.Errorf("homeserver.address is %s, want %s", cfg.Homeserver.Address, want)
	}
	if cfg.Logging.Level != "debug" {
		t.Errorf("logging.level is %s, want debug", cfg.Logging.Level)
	}
	want := "these environment variables of the old Python bot mean nothing here, remove them: BOT_PASSWORD, BOT_ACCESS_TOKEN, API_USERNAME"
	if len(cfg.Warnings) != 1 || cfg.Warnings[0] != want {
		t.Errorf("warnings are %q, want %q", cfg.Warnings, want)
	}
}

func TestNoTwoKeysShareAVariable(t *testing.T) {
	taken := map[string]string{"CONFIG_PATH": "-c", "BOT_SERVER": "the old bot's server"}
	cfg := defaults()
	eachKey(reflect.ValueOf(cfg), func(key string, _ reflect.Value) {
		for _, name := range []string{variable(key), variable(key) + "_FILE"} {
			if other, ok := taken[name]; ok {
				t.Errorf("%s sets both %s and %s", name, key, other)
			}
			taken[name] = key
		}
	})
}
