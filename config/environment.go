package config

import (
	"fmt"
	"os"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// The names that the environment had for the old Python bot and that differ
// from ours, by our keys.
var oldNames = map[string]string{"homeserver.address": "BOT_SERVER"}

// oldSettings are the old Python bot's keys that have no meaning or another
// name here, and what takes their place.
var oldSettings = []struct{ key, instead string }{
	{"bot.server", "a setting of the old Python bot; it is homeserver.address now"},
	{"bot.password", "a setting of the old Python bot; remove it, the bot logs in with the registration"},
	{"bot.access_token", "a setting of the old Python bot; remove it, the bot logs in with the registration"},
	{"api.username", "a setting of the old Python bot; remove it, or set api.token to a server admin's access token"},
	{"api.password", "a setting of the old Python bot; remove it, or set api.token to a server admin's access token"},
}

// explainOld says what became of an old bot's key, "" if it was none.
func explainOld(key string) string {
	for _, old := range oldSettings {
		if old.key == key {
			return old.instead
		}
	}
	return ""
}

// variable is the environment variable of a key: API_TOKEN for api.token.
func variable(key string) string {
	return strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// environment is the environment of a process. An empty variable is as good as
// none.
type environment map[string]string

func newEnvironment(environ []string) environment {
	env := environment{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	return env
}

// override puts the values of environment variables over those of the file,
// and returns the keys that it has set.
func (d *decoder) override(env environment, into reflect.Value) (set []string) {
	eachKey(into, func(key string, value reflect.Value) {
		var names []string
		for _, name := range []string{variable(key), oldNames[key]} {
			for _, name := range []string{name, name + "_FILE"} {
				if env[name] != "" {
					names = append(names, name)
				}
			}
		}
		switch len(names) {
		case 0:
		case 1:
			d.fromVariable(names[0], env[names[0]], value, key)
			set = append(set, key)
		default:
			d.note(Problem{Place: "environment", Key: key, Text: "set by " + strings.Join(names, " and ") + ": keep one of them"})
		}
	})
	return set
}

// fromVariable reads the text of one environment variable, or of the file that
// it names.
func (d *decoder) fromVariable(name, text string, into reflect.Value, key string) {
	d.places[key] = place{source: "environment variable " + name}
	if strings.HasSuffix(name, "_FILE") {
		content, err := os.ReadFile(text)
		if err == nil && len(content) == 0 {
			err = fmt.Errorf("%s is empty", text)
		}
		if err != nil {
			d.wrong(key, "reading the value: %v", err)
			return
		}
		text = strings.TrimRight(string(content), "\r\n")
	}

	node := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	switch into.Kind() {
	case reflect.String:
		node.Tag = "!!str"
	case reflect.Map:
		parsed, err := parseYAML([]byte(text))
		if err != nil {
			p := syntaxProblem(d.at(key).source, []byte(text), err)
			p.Key = key
			d.note(p)
			return
		}
		if parsed != nil {
			node = parsed
		}
	}
	file := d.file
	d.file = d.at(key).source // entries of a map stand there too
	d.value(node, into, key)
	d.file = file
}

// forgotten warns of the old bot's variables that are set and mean nothing.
func (env environment) forgotten() (warnings []string) {
	var names []string
	for _, old := range oldSettings {
		if name := variable(old.key); env[name] != "" && name != oldNames["homeserver.address"] {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{"these environment variables of the old Python bot mean nothing here, remove them: " + strings.Join(names, ", ")}
}
