// Package oldbot reads what the Python program of the same name kept: its
// config.yml, its environment and the lists in its config.toml. It translates
// the entries of the lists into patterns of package access.
package oldbot

// Setting is one setting of the old bot that was found.
type Setting struct {
	Key   string // "bot.server"
	Value string // may be a secret: see Secret
	Place string // "config.yml:3", or the name of an environment variable
}

// Secret tells whether nobody may read the value of a setting.
func (s Setting) Secret() bool {
	switch s.Key {
	case "bot.password", "bot.access_token", "api.token", "api.password":
		return true
	default:
		return false
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
