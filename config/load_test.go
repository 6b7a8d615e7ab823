package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fine is the least that a config must say.
const fine = `homeserver:
  domain: example.com
  address: http://localhost:8008
permissions:
  "@you:example.com": admin
encryption:
  pickle_key: secret
`

func TestWhatIsNotSaidHasItsDefault(t *testing.T) {
	cfg, err := Parse("config.yaml", []byte(fine), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cfg.BotUserID(), "@registration-bot:example.com"; got != want {
		t.Errorf("bot is %s, want %s", got, want)
	}
	if got, want := cfg.Create.Expires, 7*24*time.Hour; got != want {
		t.Errorf("create.expires is %s, want %s", got, want)
	}
	if got, want := cfg.Limits.Inviter, (InviterLimits{Uses: 1, Expires: 7 * 24 * time.Hour, Open: 5, PerDay: 10, PerMinute: 20}); got != want {
		t.Errorf("limits.inviter is %+v, want %+v", got, want)
	}
	if len(cfg.Warnings) != 0 || len(cfg.FromEnvironment) != 0 {
		t.Errorf("warnings %q, from the environment %q; want none", cfg.Warnings, cfg.FromEnvironment)
	}
}

func TestAKeyOfASectionLeavesTheOthersAtTheirDefaults(t *testing.T) {
	cfg, err := Parse("config.yaml", []byte(fine+"limits: {inviter: {open: 9}}\ncreate:\n  uses: # nothing said\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cfg.Limits.Inviter, (InviterLimits{Uses: 1, Expires: 7 * 24 * time.Hour, Open: 9, PerDay: 10, PerMinute: 20}); got != want {
		t.Errorf("limits.inviter is %+v, want %+v", got, want)
	}
	if cfg.Create.Uses != 1 {
		t.Errorf("create.uses is %d, want the default 1", cfg.Create.Uses)
	}
}

func TestValuesAreBroughtIntoOneForm(t *testing.T) {
	text := strings.ReplaceAll(fine, "8008", "8008/") + `
appservice: {registration: sub/registration.yaml}
database: {uri: "sqlite://bot.db"}
api: {base_url: "http://synapse:8008//"}
logging: {level: WARNING}
`
	cfg, err := Parse("/etc/bot/config.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, got := range map[string][2]string{
		"homeserver.address":      {cfg.Homeserver.Address, "http://localhost:8008"},
		"appservice.registration": {cfg.Appservice.Registration, "/etc/bot/sub/registration.yaml"},
		"database.uri":            {cfg.Database.URI, "sqlite:/etc/bot/bot.db"},
		"api.base_url":            {cfg.API.BaseURL, "http://synapse:8008"},
		"logging.level":           {cfg.Logging.Level, "warn"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %q, want %q", key, got[0], got[1])
		}
	}
}

func TestAConfigWithoutAnAdminIsWarnedOf(t *testing.T) {
	cfg, err := Parse("config.yaml", []byte(strings.ReplaceAll(fine, "admin", "manager")), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `config.yaml:4: permissions: name nobody as admin, so nobody can use "allow" in the chat`
	if len(cfg.Warnings) != 1 || cfg.Warnings[0] != want {
		t.Errorf("warnings are %q, want %q", cfg.Warnings, want)
	}
}

func TestAWrongConfigIsToldWithFileAndLine(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"nothing": {"", `
config.yaml: homeserver.domain: is missing: the server name, the part after the colon in user ids
config.yaml: homeserver.address: is missing: the URL where the bot reaches the homeserver, like http://localhost:8008
config.yaml: encryption.pickle_key: is empty: ` + "`init` writes one, or take the output of `openssl rand -base64 32`" + ` (or set encryption.enabled to false)`},
		"everything at once": {"api:\n  tpye: mas\nbot: {language: German}\n" + fine + "create: {uses: many}", `
config.yaml:2: api.tpye: unknown key, did you mean type?
config.yaml:11: create.uses: must be a whole number
config.yaml:3: bot.language: "German" is not a language like en or de`},

		// What YAML can't read.
		"no YAML":              {fine + "a: b: c", `config.yaml:8: not YAML: mapping values are not allowed in this context (a line is indented differently than its neighbours, or a value with ": " in it needs quotes)`},
		"wrong indentation":    {"homeserver:\n  domain: example.com\n address: http://localhost:8008\n", `config.yaml:3: not YAML: did not find expected key (a line is indented differently than its neighbours, or a value with ": " in it needs quotes)`},
		"open quote":           {fine + "bot:\n  prefix: \"!reg\n  language: en\n", `config.yaml:9: not YAML: found unexpected end of stream`},
		"very long":            {fine + strings.Repeat("#\n", 500) + "a: [", `config.yaml: not YAML: line 508: did not find expected node content`},
		"user id without ''":   {"permissions:\n  @you:example.com: admin\n", `config.yaml:2: not YAML: found character that cannot start any token (names and values that begin with @, *, ! or % need quotes: "@you:example.com")`},
		"star without quotes":  {"permissions:\n  *: admin\n", `config.yaml:2: not YAML: did not find expected alphabetic or numeric character (names and values that begin with @, *, ! or % need quotes: "@you:example.com")`},
		"prefix without ''":    {fine + "bot:\n  prefix: !reg\n", `config.yaml:9: bot.prefix: must be a text: put it in quotes`},
		"two documents":        {fine + "---\napi: {}\n", `config.yaml:8: not YAML: a second document begins here; only one is read`},
		"no keys":              {"- homeserver", `config.yaml: must hold keys and values, one a line`},
		"text as section":      {fine + "api: auto", `config.yaml:8: api: must hold keys and values, one a line`},
		"list as permissions":  {strings.Replace(fine, `"@you:example.com": admin`, `- "@you:example.com"`, 1), `config.yaml:4: permissions: must hold entries like "name": value, one a line`},
		"text as permissions":  {strings.Replace(fine, `"@you:example.com": admin`, `everybody`, 1), `config.yaml:4: permissions: must hold entries like "name": value, one a line`},
		"permission left open": {strings.Replace(fine, `": admin`, `":`, 1), `config.yaml:5: permissions.@you:example.com: must be a text: put it in quotes`},

		// Keys.
		"unknown section":   {fine + "apis: {}", `config.yaml:8: apis: unknown key, did you mean api?`},
		"unknown key":       {fine + "logging: {verbose: true}", `config.yaml:8: logging.verbose: unknown key; known here: level, format`},
		"key twice":         {fine + "bot:\n  language: en\n  language: de", `config.yaml:10: bot.language: stands here twice, first in line 9`},
		"section twice":     {fine + "encryption: {enabled: false}", `config.yaml:8: encryption: stands here twice, first in line 6`},
		"permission twice":  {strings.Replace(fine, "encryption:", `  "@you:example.com": none`+"\nencryption:", 1), `config.yaml:6: permissions.@you:example.com: stands here twice, first in line 5`},
		"the old bot's key": {fine + "bot: {server: http://localhost}", `config.yaml:8: bot.server: a setting of the old Python bot; it is homeserver.address now`},

		// Types.
		"number as text":   {fine + "api: {token: 12345}", `config.yaml:8: api.token: must be a text: put it in quotes`},
		"section as text":  {fine + "api: {token: {file: x}}", `config.yaml:8: api.token: must be a text: put it in quotes`},
		"text as number":   {fine + "create: {uses: '5'}", `config.yaml:8: create.uses: must be a whole number`},
		"odd number":       {fine + "create: {length: 1_6}", `config.yaml:8: create.length: must be a whole number`},
		"text as switch":   {fine + "logging: {}\nmetrics: {}\n" + "database: {uri: [a]}", `config.yaml:10: database.uri: must be a text: put it in quotes`},
		"yes as switch":    {strings.Replace(fine, "pickle_key: secret", "enabled: yes\n  pickle_key: secret", 1), `config.yaml:7: encryption.enabled: must be true or false`},
		"span without end": {fine + "create: {expires: 7}", `config.yaml:8: create.expires: not a time span like 30m, 12h, 7d or 2w`},
		"list as span":     {fine + "create: {expires: [7d]}", `config.yaml:8: create.expires: not a time span like 30m, 12h, 7d or 2w`},
		"no span":          {fine + "create: {expires: 0d}", `config.yaml:8: create.expires: must be longer than 0`},

		// Values.
		"domain is URL":       {strings.Replace(fine, "domain: example", "domain: https://example", 1), `config.yaml:2: homeserver.domain: "https://example.com" is not a server name like example.com, the part after the colon in user ids`},
		"address has no http": {strings.Replace(fine, "http://localhost:8008", "localhost:8008", 1), `config.yaml:3: homeserver.address: is not a URL like http://localhost:8008 or https://matrix.example.com`},
		"address with user":   {strings.Replace(fine, "http://localhost", "http://me:secret@localhost", 1), `config.yaml:3: homeserver.address: must be a plain URL, without user name, ? and #`},
		"listen without port": {fine + "appservice: {listen: localhost}", `config.yaml:8: appservice.listen: "localhost" is not an address and port like 127.0.0.1:29350`},
		"listen is a URL":     {fine + "appservice: {listen: 'http://localhost:1'}", `config.yaml:8: appservice.listen: "http://localhost:1" is not an address and port like 127.0.0.1:29350`},
		"port too large":      {fine + "appservice: {listen: '127.0.0.1:70000'}", `config.yaml:8: appservice.listen: "127.0.0.1:70000" is not an address and port like 127.0.0.1:29350: the port is a number up to 65535`},
		"no registration":     {fine + "appservice: {registration: ''}", `config.yaml:8: appservice.registration: is empty: the path of the registration.yaml that the homeserver reads`},
		"whole user id":       {fine + "bot: {username: '@reg:example.com'}", `config.yaml:8: bot.username: "@reg:example.com" is not the first part of a user id like registration-bot (small letters, digits and . _ = - / +; without @ and server name)`},
		"long user id":        {fine + "bot: {username: " + strings.Repeat("x", 250) + "}", `config.yaml:8: bot.username: makes a user id of 263 bytes: at most 255 are allowed`},
		"avatar is a picture": {fine + "bot: {avatar: me.png}", `config.yaml:8: bot.avatar: "me.png" is not an address like mxc://example.com/AbCdEf: upload the picture in a client first`},
		"prefix of two words": {fine + "bot: {prefix: 'hey bot'}", `config.yaml:8: bot.prefix: "hey bot" must be one word, without spaces`},
		"unknown time zone":   {fine + "bot: {timezone: Europe/Springfield}", `config.yaml:8: bot.timezone: "Europe/Springfield" is not a time zone like UTC or Europe/Berlin`},
		"no command age":      {fine + "bot: {max_command_age: 0s}", `config.yaml:8: bot.max_command_age: must be longer than 0`},
		"unknown server":      {fine + "api: {type: dendrit}", `config.yaml:8: api.type: "dendrit" is not auto, synapse, mas or dendrite, did you mean dendrite?`},
		"mas, no credentials": {fine + "api: {type: mas}", `config.yaml:8: api.type: mas needs api.client_id and api.client_secret, or api.token`},
		"dendrite, no token":  {fine + "api: {type: dendrite}", `config.yaml:8: api.type: dendrite needs api.token, the access token of a server admin`},
		"client auth":         {fine + "api: {client_auth: post_}", `config.yaml:8: api.client_auth: "post_" is not auto, basic or post, did you mean post?`},
		"issuer":              {fine + "api: {issuer: mas.example.com}", `config.yaml:8: api.issuer: is not a URL like http://localhost:8008 or https://matrix.example.com`},
		"client, no secret":   {fine + "api: {client_id: me}", `config.yaml:8: api.client_id: has no api.client_secret beside it`},
		"secret, no client":   {fine + "api: {client_secret: s3cret}", `config.yaml:8: api.client_secret: has no api.client_id beside it`},
		"no uses":             {fine + "create: {uses: 0}", `config.yaml:8: create.uses: 0 must be 1 or more`},
		"short codes":         {fine + "create: {length: 4}", `config.yaml:8: create.length: 4 must be 8 to 64 characters`},
		"hasty news":          {fine + "notify: {interval: 500ms}", `config.yaml:8: notify.interval: must be 1s or longer`},
		"news by alias":       {fine + "notify: {room: '#admins:example.com'}", `config.yaml:8: notify.room: "#admins:example.com" is not a room id like !AbCdEf:example.com: clients show it in the room's settings, under Advanced`},
		"negative limit":      {fine + "limits: {inviter: {open: -1}}", `config.yaml:8: limits.inviter.open: -1 must be 0 (no limit) or more`},
		"unknown role":        {strings.Replace(fine, ": admin", ": owner", 1), `config.yaml:5: permissions.@you:example.com: "owner" is not none, inviter, manager or admin`},
		"user without server": {strings.Replace(fine, "@you:example.com", "@you", 1), `config.yaml:5: permissions.@you: is not a whole user id: the server name is missing, as in @anna:example.com`},
		"user without @":      {strings.Replace(fine, "@you:example.com", "you:example.com", 1), `config.yaml:5: permissions.you:example.com: is neither a user id like @anna:example.com nor a server name nor "*"`},
		"user of no name":     {strings.Replace(fine, "@you:example.com", "@:example.com", 1), `config.yaml:5: permissions.@:example.com: is not a user id like @anna:example.com`},
		"pattern":             {strings.Replace(fine, "@you:example.com", "@*:example.com", 1), `config.yaml:5: permissions.@*:example.com: is a pattern: those are for the chat ("allow"); here stand user ids, server names and "*"`},
		"no database":         {fine + "database: {uri: 'sqlite:'}", `config.yaml:8: database.uri: names no file: write sqlite:registration-bot.db or sqlite:/path/to/registration-bot.db`},
		"other database":      {fine + "database: {uri: mysql://me:s3cret@host/db}", `config.yaml:8: database.uri: begins neither with sqlite: nor with postgres://`},
		"database, no name":   {fine + "database: {uri: 'postgres://me:s3cret@host/'}", `config.yaml:8: database.uri: is not like postgres://user:password@host/database (special characters in the password must be %-encoded)`},
		"odd password":        {fine + "database: {uri: 'postgres://me:s3%cret@host/db'}", `config.yaml:8: database.uri: is not like postgres://user:password@host/database (special characters in the password must be %-encoded)`},
		"required, disabled":  {strings.Replace(fine, "pickle_key: secret", "enabled: false\n  required: true", 1), `config.yaml:8: encryption.required: can't be true while encryption.enabled is false`},
		"unknown trust":       {strings.Replace(fine, "pickle_key: secret", "pickle_key: x\n  min_trust: all", 1), `config.yaml:8: encryption.min_trust: "all" is not known-device or cross-signed`},
		"unknown level":       {fine + "logging: {level: loud}", `config.yaml:8: logging.level: "loud" is not debug, info, warn or error`},
		"unknown format":      {fine + "logging: {format: jsn}", `config.yaml:8: logging.format: "jsn" is not text or json, did you mean json?`},
		"metrics, no port":    {fine + "metrics: {listen: '9350'}", `config.yaml:8: metrics.listen: "9350" is not an address and port like 127.0.0.1:29350`},
		"app is no address":   {fine + "create: {apps: {cinny: app.cinny.in}}", `config.yaml:8: create.apps.cinny: is not a URL like http://localhost:8008 or https://matrix.example.com`},
		"app with a fragment": {fine + "create: {apps: {element: 'https://app.element.io/#/'}}", `config.yaml:8: create.apps.element: must be a plain URL, without user name, ? and #`},
		"metrics on the same": {fine + "metrics: {listen: '127.0.0.1:29350'}", `config.yaml:8: metrics.listen: is the same as appservice.listen: give it another port`},

		// The text to forward.
		"open brace":        {fine + "create:\n  message:\n    en: |\n      {code}\n      and {until\n", `config.yaml:12: create.message.en: "{" is no placeholder; known here: {server}, {address}, {code}, {until}, {uses}, {page}`},
		"unknown name":      {fine + "create:\n  message:\n    en: Code {token}\n", `config.yaml:10: create.message.en: "{token}" is no placeholder; known here: {server}, {address}, {code}, {until}, {uses}, {page}`},
		"Go template":       {fine + "create:\n  message:\n    en: Code {{.Code}}\n", `config.yaml:10: create.message.en: "{" is no placeholder; known here: {server}, {address}, {code}, {until}, {uses}, {page}`},
		"no code":           {fine + "create:\n  message:\n    en: Welcome!\n", `config.yaml:10: create.message.en: needs a line with {code} and without {until}, {uses} and {page}, which not every code has`},
		"code left out":     {fine + "create:\n  message:\n    en: '{code} until {until}'\n", `config.yaml:10: create.message.en: needs a line with {code} and without {until}, {uses} and {page}, which not every code has`},
		"unknown language":  {fine + "create: {message: {English: Hello}}", `config.yaml:8: create.message.English: "English" is not a language like en or de`},
		"not even a mapped": {fine + "create: {message: Hello}", `config.yaml:8: create.message: must hold entries like "name": value, one a line`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("config.yaml", []byte(test.text), nil)
			expectProblems(t, err, test.want)
		})
	}
}

// expectProblems checks the whole text of an *Error.
func expectProblems(t *testing.T, err error, want string) {
	t.Helper()
	var wrong *Error
	if !errors.As(err, &wrong) {
		t.Fatalf("got %v, want an *Error", err)
	}
	if got, want := wrong.Error(), strings.TrimSpace(want); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestValuesThatAreOddButRight(t *testing.T) {
	for name, text := range map[string]string{
		"IPv6 server":           strings.Replace(fine, "domain: example.com", `domain: "[2001:db8::1]:8448"`, 1),
		"account from 2015":     strings.Replace(fine, "@you:example.com", "@ÜnderDog's=/+:example.com", 1),
		"server with a port":    strings.Replace(fine, "encryption:", "  \"example.com:8448\": none\nencryption:", 1),
		"everybody":             strings.Replace(fine, "encryption:", "  \"*\": none\nencryption:", 1),
		"no prefix":             fine + `bot: {prefix: ""}`,
		"listen everywhere":     fine + `appservice: {listen: ":29350"}`,
		"listen on IPv6":        fine + `appservice: {listen: "[::1]:29350"}`,
		"no encryption":         strings.Replace(fine, "pickle_key: secret", "enabled: false", 1),
		"no limits":             fine + "limits: {inviter: {uses: 0, expires: '0', open: 0, per_minute: 0}}",
		"room without a server": fine + "notify: {room: '!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM'}",
		"socket directory":      fine + "database: {uri: 'postgresql:///bot?host=/run/postgresql'}",
		"anchors":               strings.Replace(fine, "secret", "&key secret", 1) + "api: {token: *key}",
		"forwarded text":        fine + "create: {message: {pt-BR: \"Oi {code} {server} {address}\\n{until} {uses}\"}}",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse("config.yaml", []byte(text), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnAbsentFileIsFineIfTheEnvironmentSaysEnough(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "none.yaml")
	_, err := Load(absent, []string{
		"HOMESERVER_DOMAIN=example.com", "HOMESERVER_ADDRESS=http://localhost:8008", "ENCRYPTION_PICKLE_KEY=secret",
	})
	if err != nil {
		t.Fatal(err)
	}

	_, err = Load(absent, []string{"HOMESERVER_DOMAIN=example.com", "ENCRYPTION_ENABLED=false"})
	expectProblems(t, err, absent+": no such file: `init` writes one, or the environment must set all that is needed\n"+
		absent+": homeserver.address: is missing: the URL where the bot reaches the homeserver, like http://localhost:8008")
}

func TestAnUnreadableFileIsAnError(t *testing.T) {
	folder := t.TempDir()
	_, err := Load(folder, nil)
	expectProblems(t, err, folder+": can't be read: read "+folder+": is a directory")
}

func TestConfigPathNamesTheFileUnlessTheCommandLineDoes(t *testing.T) {
	folder := t.TempDir()
	write := func(name, domain string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(strings.Replace(fine, "domain: example.com", "domain: "+domain, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	environ := []string{"CONFIG_PATH=" + write("environment.yaml", "environment.org")}
	given := write("given.yaml", "given.org")

	for path, want := range map[string]string{"": "environment.org", given: "given.org"} {
		cfg, err := Load(path, environ)
		if err != nil {
			t.Fatal(err)
		}
		if cfg.Homeserver.Domain != want {
			t.Errorf("with -c %q the domain is %s, want %s", path, cfg.Homeserver.Domain, want)
		}
	}

	t.Chdir(folder)
	write("config.yaml", "default.org")
	cfg, err := Load("", []string{"CONFIG_PATH="})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Homeserver.Domain != "default.org" {
		t.Errorf("without -c and CONFIG_PATH the domain is %s, want default.org", cfg.Homeserver.Domain)
	}
}

func TestOthersCanBlameAKeyToo(t *testing.T) {
	cfg, err := Parse("config.yaml", []byte(fine+"bot:\n  language: xx\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	expectProblems(t, cfg.Wrong("bot.language", "%q is not there", "xx"), `config.yaml:9: bot.language: "xx" is not there`)
}

func TestOnlyWhatCannotBeReloadedNeedsARestart(t *testing.T) {
	parse := func(text string) *Config {
		cfg, err := Parse("config.yaml", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	before := parse(fine)
	if got := before.NeedRestart(parse(strings.Replace(fine, "admin", "manager", 1) + "create: {uses: 2}\nlimits: {none: {per_minute: 1}}\nlogging: {level: debug}\nnotify: {interval: 1s}\n")); got != nil {
		t.Errorf("permissions, create, limits, notify and logging need a restart for %q, want nothing", got)
	}
	got := before.NeedRestart(parse(strings.Replace(fine, "8008", "8009", 1) + "metrics: {listen: '127.0.0.1:1'}\n"))
	if want := "homeserver.address metrics.listen"; strings.Join(got, " ") != want {
		t.Errorf("%q need a restart, want %s", got, want)
	}
}

func TestTheFileOfAnSQLiteDatabase(t *testing.T) {
	for uri, want := range map[string]string{
		"sqlite:bot.db":              "/etc/bot/bot.db",
		"sqlite://bot.db":            "/etc/bot/bot.db",
		"sqlite:///var/lib/bot.db":   "/var/lib/bot.db",
		"sqlite:../bot.db":           "/etc/bot.db",
		"sqlite:":                    "",
		"postgres://me:x@host/bot":   "none",
		"postgresql://host/sqlite:x": "none",
		"":                           "none",
	} {
		path, isFile := SQLiteFile(uri, "/etc/bot")
		if !isFile {
			path += "none"
		}
		if path != want {
			t.Errorf("%q: the file is %q, want %q", uri, path, want)
		}
	}
	if path, _ := SQLiteFile("sqlite:bot.db", ""); path != "bot.db" {
		t.Errorf("without a folder the file is %q, want it as it stands", path)
	}
}
