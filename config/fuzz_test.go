package config

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// FuzzLoad: whatever stands in the file and in the environment, there is
// either a config or an error of whole lines.
func FuzzLoad(f *testing.F) {
	example, err := os.ReadFile("../config.example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example), "")
	f.Add(fine, `{"@a:b": admin}`)
	f.Add(fine+"create: {message: {en: \"{code}\\n{uses\"}}", "")
	f.Add("a: &a [*a]\nbot: *a", "*: x")
	f.Add("? [a, b]\n: c\n? {a: b}\n", "? x")
	f.Add("<<: {bot: {language: de}}\n\"a\\nb\": 1", "&a {b: *a}")
	f.Add("homeserver: !!binary aGk=\nbot: !!set {a, b}", "!!str x")
	f.Add("# nothing", "# nothing")
	f.Add("--- null\n...\n", "---")
	f.Add("\xff\xfe", "\x00")
	f.Add("create: {uses: 99999999999999999999, expires: 99999999999999999999w}", "{}")

	f.Fuzz(func(t *testing.T, file, permissions string) {
		cfg, err := Parse("config.yaml", []byte(file), []string{"PERMISSIONS=" + permissions})
		var wrong *Error
		switch {
		case err == nil && cfg != nil:
		case !errors.As(err, &wrong) || cfg != nil:
			t.Fatalf("got %v and %v, want a config or an *Error", cfg, err)
		case len(wrong.Problems) == 0, strings.Count(err.Error(), "\n") != len(wrong.Problems)-1:
			t.Fatalf("got %d problems as %q, want a line for each", len(wrong.Problems), err)
		}
	})
}
