package config

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the reference into docs/configuration.md")

func TestReferenceIsComplete(t *testing.T) {
	const path = "../docs/configuration.md"
	generated := regexp.MustCompile(`(?s)(<!-- keys: made by go generate \./config -->\n).*(<!-- end of keys -->\n)`)
	have := string(readFile(t, path))
	parts := generated.FindStringSubmatch(have)
	if parts == nil {
		t.Fatalf("%s has no lines %q around the reference", path, generated)
	}
	want := strings.Replace(have, parts[0], parts[1]+reference(t)+parts[2], 1)
	if have == want {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date: run `go generate ./config`", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// reference is a table for each section of the config.
func reference(t *testing.T) string {
	comments := fieldComments(t)
	required := requiredKeys(t)
	reloadable := map[string]bool{}
	eachField(reflect.ValueOf(Reloadable{}), func(name string, _ reflect.Value) { reloadable[name] = true })

	var out strings.Builder
	section := ""
	describeKeys(reflect.ValueOf(defaults()), "", func(key, field string, value reflect.Value) {
		if name, _, _ := strings.Cut(key, "."); name != section {
			section = name
			fmt.Fprintf(&out, "\n### %s\n\n", section)
			if reloadable[section] {
				out.WriteString("Read again on SIGHUP.\n\n")
			}
			out.WriteString("| Key | Type | Default | Environment | Meaning |\n|---|---|---|---|---|\n")
		}
		meaning, ok := comments[field]
		if !ok {
			t.Errorf("%s has no comment", field)
		}
		standard := "`" + written(value) + "`"
		if slices.Contains(required, key) {
			standard = "**required**"
		}
		fmt.Fprintf(&out, "| `%s` | %s | %s | `%s` | %s |\n", key, kindOf(value), standard, variable(key), meaning)
	})
	out.WriteString("\n")
	return out.String()
}

// describeKeys is eachKey with the names of the Go fields: "Bot.Prefix".
func describeKeys(section reflect.Value, prefix string, visit func(key, field string, value reflect.Value)) {
	for i := range section.NumField() {
		field := section.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		switch {
		case options == "inline":
			describeKeys(section.Field(i), prefix, visit)
		case name == "" || name == "-":
		case field.Type.Kind() == reflect.Struct:
			describeKeys(section.Field(i), join(prefix, name), visit)
		default:
			visit(join(prefix, name), section.Type().Name()+"."+field.Name, section.Field(i))
		}
	}
}

// fieldComments are the comments above the fields of this package's structs.
func fieldComments(t *testing.T) map[string]string {
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	comments := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if structure, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range structure.Fields.List {
				for _, name := range field.Names {
					if text := strings.Join(strings.Fields(field.Doc.Text()), " "); text != "" {
						comments[spec.Name.Name+"."+name.Name] = strings.ReplaceAll(text, "|", `\|`)
					}
				}
			}
		}
		return false
	})
	return comments
}

// requiredKeys are those that an empty config is blamed for.
func requiredKeys(t *testing.T) (keys []string) {
	_, err := Parse("config.yaml", nil, nil)
	wrong, ok := err.(*Error)
	if !ok {
		t.Fatalf("an empty config gives %v, want an *Error", err)
	}
	for _, p := range wrong.Problems {
		keys = append(keys, p.Key)
	}
	return keys
}

func kindOf(value reflect.Value) string {
	switch value.Interface().(type) {
	case string:
		return "text"
	case bool:
		return "`true` or `false`"
	case int:
		return "number"
	case time.Duration:
		return "time span"
	case map[string]string:
		return "map"
	default:
		panic("no word for " + value.Type().String())
	}
}

// written is a default as it would stand in config.yaml.
func written(value reflect.Value) string {
	switch v := value.Interface().(type) {
	case string:
		if v == "" || strings.HasPrefix(v, "!") {
			return strconv.Quote(v)
		}
		return v
	case time.Duration:
		if v%day == 0 {
			return fmt.Sprintf("%dd", v/day)
		}
		return strings.TrimSuffix(strings.TrimSuffix(v.String(), "0s"), "0m")
	case map[string]string:
		return "{}"
	default:
		return fmt.Sprint(v)
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
