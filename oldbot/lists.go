package oldbot

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// ReadLists reads the content of a config.toml. File is the file's name for errors.
func ReadLists(file string, content []byte) (Lists, error) {
	var parsed struct {
		Bot struct {
			Config struct {
				Allowed []string `toml:"allowlist"`
				Blocked []string `toml:"blocklist"`
			} `toml:"config"`
		} `toml:"simplematrixbotlib"`
	}
	if _, err := toml.Decode(requote(string(content)), &parsed); err != nil {
		if where, ok := errors.AsType[toml.ParseError](err); ok {
			return Lists{}, fmt.Errorf("%s:%d: not TOML: %s", file, where.Position.Line, where.Message)
		}
		return Lists{}, fmt.Errorf("%s: %w", file, err)
	}
	return Lists{parsed.Bot.Config.Allowed, parsed.Bot.Config.Blocked}, nil
}

// wrapped is an entry as the old bot wrote it when it saved a list: Python's
// description of a compiled pattern, with quotes around it and nothing escaped.
// That is not always TOML: re.compile("@o'neil:example.org").
var wrapped = regexp.MustCompile(`"(re\.compile\(.*?\))"(\s*[,\]])`)

// requote makes such entries TOML, and leaves their text as it stands in the file.
func requote(content string) string {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	return wrapped.ReplaceAllStringFunc(content, func(entry string) string {
		parts := wrapped.FindStringSubmatch(entry)
		return `"` + escape.Replace(parts[1]) + `"` + parts[2]
	})
}

// unwrap returns the pattern in an entry that the old bot has damaged, once for
// each time that it was saved, and others as they are.
func unwrap(entry string) (pattern string, damaged bool, err error) {
	for {
		inner, ok := strings.CutPrefix(entry, "re.compile(")
		if !ok {
			return entry, damaged, nil
		}
		damaged = true
		inner, closed := strings.CutSuffix(inner, ")")
		// Python shows no more than 200 characters of a pattern.
		if !closed || len(inner) < 2 || !strings.Contains(`'"`, inner[:1]) || inner[0] != inner[len(inner)-1] {
			return entry, damaged, ErrCutOff
		}
		entry = pythonText.Replace(inner[1 : len(inner)-1])
	}
}

// pythonText takes back what Python escapes when it shows a text of printable
// characters.
var pythonText = strings.NewReplacer(`\\`, `\`, `\'`, `'`, `\"`, `"`)
