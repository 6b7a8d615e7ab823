package config

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"strings"
)

// Registration is the part of registration.yaml that the bot needs. The
// homeserver reads the same file and may find more in it.
// (Spec: application service API, "Registration".)
type Registration struct {
	ID              string     `yaml:"id"`
	URL             string     `yaml:"url"`              // where the homeserver reaches the bot
	AsToken         string     `yaml:"as_token"`         // the bot's access token
	HsToken         string     `yaml:"hs_token"`         // the homeserver's, when it calls the bot
	SenderLocalpart string     `yaml:"sender_localpart"` // a user that only the homeserver needs
	RateLimited     bool       `yaml:"rate_limited"`     // whether the homeserver holds the bot to the limits of people
	Namespaces      Namespaces `yaml:"namespaces"`

	found findings
}

// Namespaces are the names that belong to the bot.
type Namespaces struct {
	Users []Namespace `yaml:"users"`
}

// Namespace is one pattern of user ids.
type Namespace struct {
	Exclusive bool   `yaml:"exclusive"` // whether nobody else may use these ids
	Regex     string `yaml:"regex"`     // matched from the start of the user id
}

// LoadRegistration reads a registration.yaml. Keys that it does not know are
// the homeserver's business. If anything is wrong the error is an *Error that
// names all of it.
func LoadRegistration(path string) (*Registration, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{Problems: []Problem{{
			Place: path, Text: "can't be read (`init` writes it; the bot and the homeserver both need it): " + err.Error(),
		}}}
	}
	return ParseRegistration(path, data)
}

// ParseRegistration is LoadRegistration for the content of a file that is
// known already.
func ParseRegistration(path string, data []byte) (*Registration, error) {
	reg := Registration{RateLimited: true} // what the homeserver takes it for
	d := decoder{findings: findings{file: path, places: map[string]place{}}, tolerant: true}
	d.document(data, reflect.ValueOf(&reg).Elem())
	reg.found = d.findings
	reg.check()
	if err := reg.found.err(); err != nil {
		return nil, err
	}
	return &reg, nil
}

// check notes what is wrong with the file by itself.
func (r *Registration) check() {
	for _, needed := range []struct{ key, value, meaning string }{
		{"id", r.ID, "any name, unique on the homeserver"},
		{"as_token", r.AsToken, "a long random text"},
		{"hs_token", r.HsToken, "a long random text"},
		{"sender_localpart", r.SenderLocalpart, "the first part of a user id that is not the bot's"},
	} {
		if needed.value == "" {
			r.found.wrong(needed.key, "is missing: %s", needed.meaning)
		}
	}
	switch u, err := url.Parse(r.URL); {
	case r.URL == "":
		r.found.wrong("url", "is missing: without it the homeserver sends nothing; write where it reaches the bot, like http://127.0.0.1:29350")
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		r.found.wrong("url", "%q is not a URL like http://127.0.0.1:29350", r.URL)
	}
	for i, namespace := range r.Namespaces.Users {
		key := fmt.Sprintf("namespaces.users[%d].regex", i)
		if namespace.Regex == "" {
			r.found.wrong(key, "is missing")
		} else if _, err := regexp.Compile(namespace.Regex); err != nil {
			r.found.wrong(key, "%q is not a regular expression: %s", namespace.Regex, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
	}
}

// pattern matches as the homeserver does: from the start, not to the end.
func (n Namespace) pattern() (*regexp.Regexp, error) {
	return regexp.Compile("^(?:" + n.Regex + ")")
}

// Check compares the registration with the config. If they can't work together
// the error is an *Error; what is only odd comes back as warnings.
func Check(cfg *Config, reg *Registration) (warnings []string, err error) {
	found := findings{file: reg.found.file, places: reg.found.places}
	bot := cfg.BotUserID()

	if reg.SenderLocalpart == cfg.Bot.Username {
		found.wrong("sender_localpart", "must not be the bot: the homeserver answers 500 to /sync for this user; write _%s", cfg.Bot.Username)
	}
	if i := reg.namespaceOf(bot); i < 0 {
		found.wrong("namespaces.users", "no regex matches the bot %s: write '^%s$' with exclusive: true", bot, regexp.QuoteMeta(bot))
	} else if !reg.Namespaces.Users[i].Exclusive {
		key := fmt.Sprintf("namespaces.users[%d]", i)
		warnings = append(warnings, found.problem(key, "has no `exclusive: true`: somebody else could register as "+bot).String())
	}
	if reg.RateLimited {
		warnings = append(warnings, found.problem("rate_limited", "is not false: the homeserver holds the bot to the limits of people (10 messages, then one in 5 s); write rate_limited: false").String())
	}
	if reg.elsewhere(cfg.Appservice.Listen) {
		warnings = append(warnings, found.problem("url", fmt.Sprintf(
			"%s looks different from appservice.listen (%s): fine if a proxy or a container stands between", reg.URL, cfg.Appservice.Listen)).String())
	}
	return warnings, found.err()
}

// namespaceOf is the index of the best entry that matches a user id: an
// exclusive one if there is any; -1 if none matches.
func (r *Registration) namespaceOf(user string) int {
	best := -1
	for i, namespace := range r.Namespaces.Users {
		if pattern, err := namespace.pattern(); err != nil || !pattern.MatchString(user) {
			continue
		}
		if namespace.Exclusive {
			return i
		}
		if best < 0 {
			best = i
		}
	}
	return best
}

// elsewhere says whether the url seems to lead to another place than the one
// where the bot listens.
func (r *Registration) elsewhere(listen string) bool {
	u, err := url.Parse(r.URL)
	if err != nil {
		return true
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	host, listenPort, _ := net.SplitHostPort(listen)
	if u.Scheme == "https" || port != listenPort {
		return true
	}
	target, own := net.ParseIP(u.Hostname()), net.ParseIP(host)
	switch {
	case own == nil, own.IsUnspecified():
		return false // everywhere, or a name: who knows
	case target != nil:
		return !target.Equal(own)
	default: // the url has a name
		return own.IsLoopback() && u.Hostname() != "localhost"
	}
}
