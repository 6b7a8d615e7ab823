package oldbot

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// variables are what the old bot read from its environment, over the file.
var variables = []struct{ name, key string }{
	{"BOT_SERVER", "bot.server"},
	{"BOT_USERNAME", "bot.username"},
	{"BOT_PASSWORD", "bot.password"},
	{"BOT_ACCESS_TOKEN", "bot.access_token"},
	{"API_BASE_URL", "api.base_url"},
	{"API_TOKEN", "api.token"},
	{"LOGGING_LEVEL", "logging.level"},
}

// ReadSettings reads the content of a config.yml, and puts the environment
// ("NAME=value" entries) over it. File is the file's name for places and errors.
// An empty value is as good as none.
func ReadSettings(file string, content []byte, environ []string) (Settings, error) {
	found, err := readFile(file, content)
	if err != nil {
		return nil, err
	}
	for _, variable := range variables {
		for _, entry := range environ {
			if value, ok := strings.CutPrefix(entry, variable.name+"="); ok && value != "" {
				found = found.with(Setting{variable.key, value, variable.name})
			}
		}
	}
	return found, nil
}

// with sets a setting, in the place of what it was before.
func (s Settings) with(setting Setting) Settings {
	for i := range s {
		if s[i].Key == setting.Key {
			s[i] = setting
			return s
		}
	}
	return append(s, setting)
}

// readFile takes values as they are written: Python's YAML and ours differ in
// what they take for a number or a truth value.
func readFile(file string, content []byte) (found Settings, err error) {
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("%s: not YAML: %s", file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if document.Kind == 0 { // nothing in it
		return nil, nil
	}
	err = eachPair(file, "the file", document.Content[0], func(section string, values *yaml.Node) error {
		return eachPair(file, section, values, func(name string, value *yaml.Node) error {
			switch {
			case value.Kind != yaml.ScalarNode:
				return fmt.Errorf("%s:%d: %s.%s must be one value", file, value.Line, section, name)
			case value.Value != "" && value.ShortTag() != "!!null":
				place := fmt.Sprintf("%s:%d", file, value.Line)
				found = found.with(Setting{section + "." + name, value.Value, place})
			}
			return nil
		})
	})
	return found, err
}

func eachPair(file, what string, node *yaml.Node, visit func(name string, value *yaml.Node) error) error {
	switch {
	case node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null":
		return nil
	case node.Kind != yaml.MappingNode:
		return fmt.Errorf("%s:%d: %s must hold keys and values, one a line", file, node.Line, what)
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if err := visit(node.Content[i].Value, node.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}
