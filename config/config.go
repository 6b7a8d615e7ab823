// Package config holds the bot's settings: it reads config.yaml and the
// environment into one struct, and says with file and line what is wrong. It
// reads the homeserver's registration.yaml in the same way.
//
// The comments of the fields below are also the reference in
// docs/configuration.md; `go generate ./config` writes them there, and the
// example files from the templates of the subcommand init.
package config

//go:generate go test -tags goolm ../cmd/matrix-registration-bot -run TestTheExampleFilesAreWhatInitWrites -update
//go:generate go test -tags goolm . -run TestReferenceIsComplete -update

import (
	"fmt"
	"reflect"
	"time"
)

// Config is the content of config.yaml, completed with the defaults,
// overridden by the environment and checked. It is never changed after Load.
type Config struct {
	Homeserver Homeserver `yaml:"homeserver"`
	Appservice Appservice `yaml:"appservice"`
	Bot        Bot        `yaml:"bot"`
	API        API        `yaml:"api"`
	Reloadable `yaml:",inline"`
	Database   Database   `yaml:"database"`
	Encryption Encryption `yaml:"encryption"`
	Metrics    Metrics    `yaml:"metrics"`

	// FromEnvironment lists the keys ("api.token") whose values came from the
	// environment.
	FromEnvironment []string `yaml:"-"`
	// Warnings says what is odd but no error, a sentence each.
	Warnings []string `yaml:"-"`

	found findings
}

// Reloadable is the part of the config that SIGHUP reads again while the bot
// runs.
type Reloadable struct {
	Create Create `yaml:"create"`
	// Who may do what: user id, server name or `"*"` to `none`, `inviter`, `manager` or `admin`. The most specific entry wins.
	Permissions map[string]string `yaml:"permissions"`
	Limits      Limits            `yaml:"limits"`
	Notify      Notify            `yaml:"notify"`
	Logging     Logging           `yaml:"logging"`
}

// Homeserver is the server that the bot belongs to.
type Homeserver struct {
	// The server name: the part after the colon in user ids.
	Domain string `yaml:"domain"`
	// URL of the client-server API as the bot reaches it.
	Address string `yaml:"address"`
	// URL of the client-server API as people type it into a client, for invitations. Empty: clients find it by the domain.
	PublicAddress string `yaml:"public_address"`
}

// Appservice is the side that the homeserver talks to.
type Appservice struct {
	// The very file that the homeserver reads. Tokens, id, url and namespace stand only there.
	Registration string `yaml:"registration"`
	// Address and port where the homeserver reaches the bot. `/health` and `/ready` are served there too.
	Listen string `yaml:"listen"`
}

// Bot is how the bot appears.
type Bot struct {
	// The first part of the bot's user id, without `@` and server name.
	Username string `yaml:"username"`
	// The name that people see.
	Displayname string `yaml:"displayname"`
	// The bot's picture, an `mxc://` address. Empty: none is set.
	Avatar string `yaml:"avatar"`
	// What commands begin with in group rooms. Empty: only a mention works there. Optional in direct chats.
	Prefix string `yaml:"prefix"`
	// Whether the bot describes its commands to clients (MSC4391): in each direct chat, as state of the room, which is never encrypted, those that the person may use. Few clients know it.
	DescribeCommands bool `yaml:"describe_commands"`
	// The language of the answers.
	Language string `yaml:"language"`
	// The time zone in which dates are read and written, such as `Europe/Berlin`.
	Timezone string `yaml:"timezone"`
	// Commands that waited longer than this while the bot was away are answered, not run.
	MaxCommandAge time.Duration `yaml:"max_command_age"`
}

// API is where registration tokens are made.
type API struct {
	// What answers there: `auto`, `synapse`, `mas` or `dendrite`.
	Type string `yaml:"type"`
	// URL of the admin API, often an internal one, because proxies close `/_synapse/admin`. Empty: homeserver.address; for MAS its issuer.
	BaseURL string `yaml:"base_url"`
	// Access token of a server admin. Empty on Synapse: the bot uses its as_token and must be a server admin itself.
	Token string `yaml:"token"`
	// MAS only, with client_secret: the client of the bot. Or a token.
	ClientID string `yaml:"client_id"`
	// MAS only: the secret of client_id.
	ClientSecret string `yaml:"client_secret"`
	// MAS only: how the secret is sent, `basic` or `post` as the client's `client_auth_method` in MAS's config says. `auto` tries both.
	ClientAuth string `yaml:"client_auth"`
	// MAS only: its URL as the bot reaches it. Empty: the homeserver says it.
	Issuer string `yaml:"issuer"`
}

// Create is what a `create` without options makes.
type Create struct {
	// How many accounts can be made with the token, at least 1.
	Uses int `yaml:"uses"`
	// How long the token is valid.
	Expires time.Duration `yaml:"expires"`
	// Number of characters, 8 to 64.
	Length int `yaml:"length"`
	// The text to forward to a friend, by language (`en`), with the placeholders `{server}`, `{address}`, `{code}`, `{until}`, `{uses}` and `{page}` (where people make accounts, on MAS). A line is left out if there is nothing to put into it. Languages not named keep the built-in text.
	Message map[string]string `yaml:"message"`
	Apps    Apps              `yaml:"apps"`
}

// Apps are where web clients are, for the built-in text to forward.
type Apps struct {
	// URL of a Cinny, which fills the code in. Empty: it is not named.
	Cinny string `yaml:"cinny"`
	// URL of an Element Web. Empty: it is not named.
	Element string `yaml:"element"`
}

// Limits holds back those who are not trusted with everything. Managers and
// admins have no limits.
type Limits struct {
	None    NoneLimits    `yaml:"none"`
	Inviter InviterLimits `yaml:"inviter"`
}

// NoneLimits is for people without a role.
type NoneLimits struct {
	// Commands that are answered in a minute. 0: no limit.
	PerMinute int `yaml:"per_minute"`
}

// InviterLimits is for the role inviter.
type InviterLimits struct {
	// The most uses that a token may have. 0: no limit.
	Uses int `yaml:"uses"`
	// The longest time that a token may be valid. 0: no limit.
	Expires time.Duration `yaml:"expires"`
	// Tokens that one person may have open at a time. 0: no limit.
	Open int `yaml:"open"`
	// Tokens that one person makes within 24 hours, whatever becomes of them. 0: no limit.
	PerDay int `yaml:"per_day"`
	// Commands that are answered in a minute. 0: no limit.
	PerMinute int `yaml:"per_minute"`
}

// Database is where everything is kept.
type Database struct {
	// `sqlite:FILE` or `postgres://USER:PASSWORD@HOST/DATABASE`.
	URI string `yaml:"uri"`
}

// Encryption is about encrypted rooms.
type Encryption struct {
	// Whether the bot takes part in encrypted rooms.
	Enabled bool `yaml:"enabled"`
	// Whether commands in unencrypted rooms are refused.
	Required bool `yaml:"required"`
	// Protects the keys in the database, and must not change while that exists. Any long random text; `init` writes one. Not needed if enabled is false.
	PickleKey string `yaml:"pickle_key"`
	// Whose devices may give commands: `known-device` (any device of the sender) or `cross-signed` (only those that the sender verified).
	MinTrust string `yaml:"min_trust"`
}

// Notify is about news: somebody registered with a token, or it ended unused.
type Notify struct {
	// Whether the makers of tokens get news. Each can switch theirs off with `notify off`.
	Enabled bool `yaml:"enabled"`
	// How often the bot looks at the tokens, at least `1s`. While none is open it looks ten times less often.
	Interval time.Duration `yaml:"interval"`
	// A room whose members get the news of all tokens, also of those that were made elsewhere: its id, such as `!AbCdEf:example.com`. The bot has to be invited there. Empty: none.
	Room string `yaml:"room"`
}

// Logging is how much is written to standard error.
type Logging struct {
	// `debug`, `info`, `warn` or `error`.
	Level string `yaml:"level"`
	// `text` or `json`.
	Format string `yaml:"format"`
}

// Metrics is for Prometheus.
type Metrics struct {
	// Address and port of the metrics. Empty: off.
	Listen string `yaml:"listen"`
}

// defaults is the config before anything is read.
func defaults() Config {
	return Config{
		Appservice: Appservice{Registration: "registration.yaml", Listen: "127.0.0.1:29350"},
		Bot: Bot{
			Username: "registration-bot", Displayname: "Registration Bot", Prefix: "!reg",
			Language: "en", Timezone: "UTC", MaxCommandAge: time.Hour,
		},
		API: API{Type: "auto", ClientAuth: "auto"},
		Reloadable: Reloadable{
			Create: Create{
				Uses: 1, Expires: 7 * day, Length: 16,
				Apps: Apps{Cinny: "https://app.cinny.in", Element: "https://app.element.io"},
			},
			Limits: Limits{
				None:    NoneLimits{PerMinute: 20},
				Inviter: InviterLimits{Uses: 1, Expires: 7 * day, Open: 5, PerDay: 10, PerMinute: 20},
			},
			Notify:  Notify{Enabled: true, Interval: time.Minute},
			Logging: Logging{Level: "info", Format: "text"},
		},
		Database:   Database{URI: "sqlite:registration-bot.db"},
		Encryption: Encryption{Enabled: true, MinTrust: "known-device"},
	}
}

// BotUserID is the bot's full user id.
func (c *Config) BotUserID() string {
	return "@" + c.Bot.Username + ":" + c.Homeserver.Domain
}

// File is the path of the config file; there may be none if the environment
// says everything.
func (c *Config) File() string { return c.found.file }

// Wrong makes an error about the value of a key ("bot.language") that only
// others than this package can judge. It names the place where the value
// stands.
func (c *Config) Wrong(key, format string, args ...any) error {
	return &Error{Problems: []Problem{c.found.problem(key, fmt.Sprintf(format, args...))}}
}

// NeedRestart names the keys whose values differ in next and that are not
// Reloadable.
func (c *Config) NeedRestart(next *Config) []string {
	before, after := *c, *next
	before.Reloadable, after.Reloadable = Reloadable{}, Reloadable{}
	values := map[string]any{}
	eachKey(reflect.ValueOf(&before).Elem(), func(key string, value reflect.Value) {
		values[key] = value.Interface()
	})
	var differ []string
	eachKey(reflect.ValueOf(&after).Elem(), func(key string, value reflect.Value) {
		if !reflect.DeepEqual(values[key], value.Interface()) {
			differ = append(differ, key)
		}
	})
	return differ
}
