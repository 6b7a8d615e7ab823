package config

import (
	"maps"
	"net"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	_ "time/tzdata" // containers have no time zones of their own
)

// What Matrix names look like (spec: appendices, "Identifier grammar").
var (
	serverName  = regexp.MustCompile(`^(?:[A-Za-z0-9.-]{1,230}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$`)
	localpart   = regexp.MustCompile(`^[a-z0-9._=/+-]+$`)
	oldLocal    = regexp.MustCompile(`^[^:\s\p{C}]+$`) // accounts made long ago may have odd names
	contentURI  = regexp.MustCompile(`^mxc://[^/\s]+/[^/\s]+$`)
	roomID      = regexp.MustCompile(`^![^\s]+$`) // those of newer rooms have no server name
	languageTag = regexp.MustCompile(`^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$`)
)

// longestUserID is the limit of the spec, in bytes.
const longestUserID = 255

// check notes everything that is wrong with the values.
func (c *Config) check() {
	c.checkHomeserver()
	c.checkBot()
	c.checkAPI()
	c.checkCreate()
	c.checkPermissions()
	c.checkLimits()
	c.checkNotify()
	c.checkDatabase()
	c.checkEncryption()
	c.oneOf("logging.level", c.Logging.Level, "debug", "info", "warn", "error")
	c.oneOf("logging.format", c.Logging.Format, "text", "json")
	if c.Metrics.Listen != "" {
		c.listenAddress("metrics.listen", c.Metrics.Listen)
		if c.Metrics.Listen == c.Appservice.Listen {
			c.found.wrong("metrics.listen", "is the same as appservice.listen: give it another port")
		}
	}
}

func (c *Config) checkHomeserver() {
	switch domain := c.Homeserver.Domain; {
	case domain == "":
		c.found.wrong("homeserver.domain", "is missing: the server name, the part after the colon in user ids")
	case !serverName.MatchString(domain):
		c.found.wrong("homeserver.domain", "%q is not a server name like example.com, the part after the colon in user ids", domain)
	}
	if c.Homeserver.Address == "" {
		c.found.wrong("homeserver.address", "is missing: the URL where the bot reaches the homeserver, like http://localhost:8008")
	} else {
		c.webAddress("homeserver.address", c.Homeserver.Address)
	}
	if c.Appservice.Registration == "" {
		c.found.wrong("appservice.registration", "is empty: the path of the registration.yaml that the homeserver reads")
	}
	c.listenAddress("appservice.listen", c.Appservice.Listen)
	if c.Homeserver.PublicAddress != "" {
		c.webAddress("homeserver.public_address", c.Homeserver.PublicAddress)
	}
}

func (c *Config) checkBot() {
	switch name := c.Bot.Username; {
	case !localpart.MatchString(name):
		c.found.wrong("bot.username", "%q is not the first part of a user id like registration-bot (small letters, digits and . _ = - / +; without @ and server name)", name)
	case len(c.BotUserID()) > longestUserID:
		c.found.wrong("bot.username", "makes a user id of %d bytes: at most %d are allowed", len(c.BotUserID()), longestUserID)
	}
	if c.Bot.Avatar != "" && !contentURI.MatchString(c.Bot.Avatar) {
		c.found.wrong("bot.avatar", "%q is not an address like mxc://example.com/AbCdEf: upload the picture in a client first", c.Bot.Avatar)
	}
	if strings.ContainsFunc(c.Bot.Prefix, unicode.IsSpace) {
		c.found.wrong("bot.prefix", "%q must be one word, without spaces", c.Bot.Prefix)
	}
	c.language("bot.language", c.Bot.Language)
	if _, err := time.LoadLocation(c.Bot.Timezone); err != nil || c.Bot.Timezone == "" {
		c.found.wrong("bot.timezone", "%q is not a time zone like UTC or Europe/Berlin", c.Bot.Timezone)
	}
	c.positive("bot.max_command_age", c.Bot.MaxCommandAge)
}

func (c *Config) checkAPI() {
	c.oneOf("api.type", c.API.Type, "auto", "synapse", "mas", "dendrite")
	if c.API.BaseURL != "" {
		c.webAddress("api.base_url", c.API.BaseURL)
	}
	if c.API.Issuer != "" {
		c.webAddress("api.issuer", c.API.Issuer)
	}
	c.oneOf("api.client_auth", c.API.ClientAuth, "auto", "basic", "post")
	hasClient := c.API.ClientID != "" && c.API.ClientSecret != ""
	switch {
	case c.API.ClientID != "" && c.API.ClientSecret == "":
		c.found.wrong("api.client_id", "has no api.client_secret beside it")
	case c.API.ClientID == "" && c.API.ClientSecret != "":
		c.found.wrong("api.client_secret", "has no api.client_id beside it")
	case c.API.Type == "mas" && c.API.Token == "" && !hasClient:
		c.found.wrong("api.type", "mas needs api.client_id and api.client_secret, or api.token")
	case c.API.Type == "dendrite" && c.API.Token == "":
		c.found.wrong("api.type", "dendrite needs api.token, the access token of a server admin")
	}
}

func (c *Config) checkCreate() {
	if c.Create.Uses < 1 {
		c.found.wrong("create.uses", "%d must be 1 or more", c.Create.Uses)
	}
	c.positive("create.expires", c.Create.Expires)
	if c.Create.Length < 8 || c.Create.Length > 64 {
		c.found.wrong("create.length", "%d must be 8 to 64 characters", c.Create.Length)
	}
	if c.Create.Apps.Cinny != "" {
		c.webAddress("create.apps.cinny", c.Create.Apps.Cinny)
	}
	if c.Create.Apps.Element != "" {
		c.webAddress("create.apps.element", c.Create.Apps.Element)
	}
	for _, language := range sortedKeys(c.Create.Message) {
		key := "create.message." + language
		c.language(key, language)
		if line, problem := checkInvitation(c.Create.Message[language]); problem != "" {
			c.found.note(Problem{Place: c.found.at(key).inside(line).String(), Key: key, Text: problem})
		}
	}
}

func (c *Config) checkPermissions() {
	hasAdmin := false
	for _, who := range sortedKeys(c.Permissions) {
		key := "permissions." + who
		if text := whoProblem(who); text != "" {
			c.found.wrong(key, "%s", text)
		}
		c.oneOf(key, c.Permissions[who], "none", "inviter", "manager", "admin")
		hasAdmin = hasAdmin || c.Permissions[who] == "admin"
	}
	if !hasAdmin {
		c.Warnings = append(c.Warnings, c.found.problem("permissions", `name nobody as admin, so nobody can use "allow" in the chat`).String())
	}
}

// whoProblem says why a text names nobody, "" if it does.
func whoProblem(who string) string {
	name, server, hasColon := strings.Cut(strings.TrimPrefix(who, "@"), ":")
	switch isUser := strings.HasPrefix(who, "@"); {
	case who == "*", !isUser && serverName.MatchString(who):
		return ""
	case strings.Contains(who, "*"), strings.HasPrefix(who, "/"):
		return `is a pattern: those are for the chat ("allow"); here stand user ids, server names and "*"`
	case !isUser:
		return `is neither a user id like @anna:example.com nor a server name nor "*"`
	case !hasColon:
		return "is not a whole user id: the server name is missing, as in @anna:example.com"
	case !oldLocal.MatchString(name) || !serverName.MatchString(server):
		return "is not a user id like @anna:example.com"
	case len(who) > longestUserID:
		return "is longer than a user id can be (255 bytes)"
	}
	return ""
}

func (c *Config) checkLimits() {
	eachKey(reflect.ValueOf(c.Limits), func(key string, value reflect.Value) {
		if value.Int() < 0 {
			c.found.wrong("limits."+key, "%d must be 0 (no limit) or more", value.Int())
		}
	})
}

func (c *Config) checkNotify() {
	if c.Notify.Interval < time.Second {
		c.found.wrong("notify.interval", "must be 1s or longer")
	}
	if room := c.Notify.Room; room != "" && !roomID.MatchString(room) {
		c.found.wrong("notify.room", "%q is not a room id like !AbCdEf:example.com: clients show it in the room's settings, under Advanced", room)
	}
}

func (c *Config) checkDatabase() {
	// The URI may hold a password: never show it.
	switch scheme, rest, _ := strings.Cut(c.Database.URI, ":"); scheme {
	case "sqlite":
		if rest == "" || strings.HasSuffix(rest, ":memory:") {
			c.found.wrong("database.uri", "names no file: write sqlite:registration-bot.db or sqlite:/path/to/registration-bot.db")
		}
	case "postgres", "postgresql":
		if u, err := url.Parse(c.Database.URI); err != nil || strings.Trim(u.Path, "/") == "" {
			c.found.wrong("database.uri", "is not like postgres://user:password@host/database (special characters in the password must be %%-encoded)")
		}
	default:
		c.found.wrong("database.uri", "begins neither with sqlite: nor with postgres://")
	}
}

func (c *Config) checkEncryption() {
	switch e := c.Encryption; {
	case e.Enabled && e.PickleKey == "":
		c.found.wrong("encryption.pickle_key", "is empty: `init` writes one, or take the output of `openssl rand -base64 32` (or set encryption.enabled to false)")
	case !e.Enabled && e.Required:
		c.found.wrong("encryption.required", "can't be true while encryption.enabled is false")
	}
	c.oneOf("encryption.min_trust", c.Encryption.MinTrust, "known-device", "cross-signed")
}

// oneOf checks a value that has a few possible words.
func (c *Config) oneOf(key, value string, possible ...string) {
	if slices.Contains(possible, value) {
		return
	}
	last := len(possible) - 1
	text := strings.Join(possible[:last], ", ") + " or " + possible[last]
	if near := nearest(value, possible); near != "" {
		c.found.wrong(key, "%q is not %s, did you mean %s?", value, text, near)
		return
	}
	c.found.wrong(key, "%q is not %s", value, text)
}

func (c *Config) language(key, value string) {
	if !languageTag.MatchString(value) {
		c.found.wrong(key, "%q is not a language like en or de", value)
	}
}

func (c *Config) positive(key string, span time.Duration) {
	if span <= 0 {
		c.found.wrong(key, "must be longer than 0")
	}
}

// webAddress checks the URL of a server. It is not shown, as it may wrongly
// hold a password.
func (c *Config) webAddress(key, value string) {
	u, err := url.Parse(value)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		c.found.wrong(key, "is not a URL like http://localhost:8008 or https://matrix.example.com")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		c.found.wrong(key, "must be a plain URL, without user name, ? and #")
	}
}

func (c *Config) listenAddress(key, value string) {
	if problem := listenProblem(value); problem != "" {
		c.found.wrong(key, "%q %s", value, problem)
	}
}

// listenProblem says why nothing can listen at an address, "" if it can.
func listenProblem(address string) string {
	const like = "is not an address and port like 127.0.0.1:29350"
	host, port, err := net.SplitHostPort(address)
	if err != nil || strings.ContainsFunc(host, unicode.IsSpace) || strings.ContainsAny(host, "/@") {
		return like
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return like + ": the port is a number up to 65535"
	}
	return ""
}

func sortedKeys(m map[string]string) []string {
	return slices.Sorted(maps.Keys(m))
}
