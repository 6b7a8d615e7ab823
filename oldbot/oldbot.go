// Package oldbot reads what the Python program of the same name kept: its
// config.yml, its environment and the lists in its config.toml. It translates
// the entries of the lists into patterns of package access.
package oldbot

// Setting is one setting of the old bot that was found.
type Setting struct {
	Key   string // "bot.server"
	Value string // may be a secret: see Shown
	Place string // "config.yml:3", or the name of an environment variable
}

// Shown is the value for people to read. The value of a secret is not in it, nor
// that of a key that the old bot did not know: somebody may have kept one there.
func (s Setting) Shown() string {
	switch s.Key {
	case "bot.server", "bot.username", "bot.prefix", "api.base_url", "api.username", "logging.level":
		return s.Value
	case "bot.password", "bot.access_token", "api.token", "api.password":
		return "(a secret)"
	default:
		return "(not shown)"
	}
}

// Settings are those that were found, in the order of the files.
type Settings []Setting

// Value is the value of a setting, "" if it is not set.
func (s Settings) Value(key string) string {
	for _, setting := range s {
		if setting.Key == key {
			return setting.Value
		}
	}
	return ""
}

// Lists are the lists of config.toml, as they were written.
type Lists struct {
	Allowed, Blocked []string
}
