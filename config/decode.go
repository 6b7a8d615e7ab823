package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// decoder puts YAML into structs as yaml.v3 does, but notes where each value
// stands, and goes on after an error so that all are found at once.
type decoder struct {
	findings
	tolerant bool // unknown keys are none of our business
	explain  func(key string) string
}

// document reads the only document of a file into a struct.
func (d *decoder) document(data []byte, into reflect.Value) {
	root, err := parseYAML(data)
	if err != nil {
		d.note(syntaxProblem(d.file, data, err))
		return
	}
	if root != nil && !isNull(root) {
		d.section(root, into, "")
	}
}

// section reads a mapping into a struct. A key without a value (null) leaves
// the default.
func (d *decoder) section(node *yaml.Node, into reflect.Value, key string) {
	if node.Kind != yaml.MappingNode {
		d.wrong(key, "must hold keys and values, one a line")
		return
	}
	d.eachPair(node, key, func(name, inner string, value *yaml.Node) {
		field, ok := fieldNamed(into, name)
		switch {
		case ok && isNull(value):
		case ok:
			d.value(value, field, inner)
		case !d.tolerant:
			d.wrong(inner, "%s", d.unknown(into, name, inner))
		}
	})
}

// eachPair visits the entries of a mapping, and notes where they stand.
func (d *decoder) eachPair(node *yaml.Node, key string, visit func(name, inner string, value *yaml.Node)) {
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := target(node.Content[i]), target(node.Content[i+1])
		at := place{source: d.file, line: node.Content[i].Line, block: value.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0}
		inner := join(key, name.Value)
		if first, double := seen[name.Value]; double {
			d.note(Problem{Place: at.String(), Key: inner, Text: fmt.Sprintf("stands here twice, first in line %d", first)})
			continue
		}
		seen[name.Value] = at.line
		d.places[inner] = at
		visit(name.Value, inner, value)
	}
}

// value reads one value.
func (d *decoder) value(node *yaml.Node, into reflect.Value, key string) {
	switch {
	case into.Type() == reflect.TypeFor[time.Duration]():
		span, err := parseDuration(node.Value)
		if node.Kind != yaml.ScalarNode || err != nil {
			d.wrong(key, "%s", errDuration)
			return
		}
		into.SetInt(int64(span))
	case into.Kind() == reflect.String:
		if text, ok := d.text(node, key); ok {
			into.SetString(text)
		}
	case into.Kind() == reflect.Int:
		n, err := strconv.Atoi(node.Value)
		if node.ShortTag() != "!!int" || err != nil {
			d.wrong(key, "must be a whole number")
			return
		}
		into.SetInt(int64(n))
	case into.Kind() == reflect.Bool:
		if node.ShortTag() != "!!bool" {
			d.wrong(key, "must be true or false")
			return
		}
		into.SetBool(strings.EqualFold(node.Value, "true"))
	case into.Kind() == reflect.Struct:
		d.section(node, into, key)
	case into.Kind() == reflect.Map:
		d.entries(node, into, key)
	case into.Kind() == reflect.Slice:
		d.list(node, into, key)
	default:
		panic("config: no way to read a " + into.Type().String())
	}
}

// text reads a string. What YAML takes for something else is refused, because
// its text may not be what was meant (0123, on, 1e3).
func (d *decoder) text(node *yaml.Node, key string) (string, bool) {
	if node.ShortTag() != "!!str" {
		d.wrong(key, "must be a text: put it in quotes")
		return "", false
	}
	return node.Value, true
}

// entries reads a mapping of texts.
func (d *decoder) entries(node *yaml.Node, into reflect.Value, key string) {
	if node.Kind != yaml.MappingNode {
		d.wrong(key, `must hold entries like "name": value, one a line`)
		return
	}
	all := map[string]string{}
	d.eachPair(node, key, func(name, inner string, value *yaml.Node) {
		if text, ok := d.text(value, inner); ok {
			all[name] = text
		}
	})
	into.Set(reflect.ValueOf(all))
}

// list reads a sequence of sections.
func (d *decoder) list(node *yaml.Node, into reflect.Value, key string) {
	if node.Kind != yaml.SequenceNode {
		d.wrong(key, `must be a list: lines that begin with "- "`)
		return
	}
	all := reflect.MakeSlice(into.Type(), len(node.Content), len(node.Content))
	for i, item := range node.Content {
		inner := fmt.Sprintf("%s[%d]", key, i)
		d.places[inner] = place{source: d.file, line: item.Line}
		d.section(target(item), all.Index(i), inner)
	}
	into.Set(all)
}

// unknown says what may have been meant by a key that does not exist.
func (d *decoder) unknown(section reflect.Value, name, key string) string {
	if d.explain != nil {
		if text := d.explain(key); text != "" {
			return text
		}
	}
	var known []string
	eachField(section, func(name string, _ reflect.Value) { known = append(known, name) })
	if near := nearest(name, known); near != "" {
		return "unknown key, did you mean " + near + "?"
	}
	return "unknown key; known here: " + strings.Join(known, ", ")
}

// parseYAML gives the root of the only document, nil if there is none.
func parseYAML(data []byte) (*yaml.Node, error) {
	reader := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := reader.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, err
	}
	switch err := reader.Decode(&second); {
	case errors.Is(err, io.EOF):
		return target(document.Content[0]), nil
	case err != nil:
		return nil, err
	default:
		return nil, errors.New("a second document begins here; only one is read")
	}
}

// syntaxProblem says where the YAML is broken, and what mostly is the reason.
func syntaxProblem(source string, data []byte, err error) Problem {
	at := place{source: source, line: brokenLine(data)}
	text := "not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")
	if at.line != 0 {
		text = yamlPlace.ReplaceAllString(text, "")
	}
	switch {
	case strings.Contains(text, "cannot start any token"), strings.Contains(text, "alphabetic or numeric character"):
		text += ` (names and values that begin with @, *, ! or % need quotes: "@you:example.com")`
	case strings.Contains(text, "mapping values are not allowed"), strings.Contains(text, "did not find expected key"):
		text += ` (a line is indented differently than its neighbours, or a value with ": " in it needs quotes)`
	}
	return Problem{Place: at.String(), Text: text}
}

// yamlPlace is the line that yaml.v3 names in an error. It often is a wrong
// one: where the mapping began, or one too low.
var yamlPlace = regexp.MustCompile(`line \d+: `)

// brokenLine is the line that comes after the longest readable beginning of
// the data; 0 if there are too many to try.
func brokenLine(data []byte) int {
	const most = 500
	if bytes.Count(data, []byte("\n")) > most {
		return 0
	}
	line, broken, end := 0, 1, 0
	for piece := range bytes.Lines(data) {
		line++
		end += len(piece)
		if _, err := parseYAML(data[:end]); err == nil {
			broken = line + 1
		}
	}
	return broken
}

// target follows an alias to what it stands for.
func target(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

func join(section, name string) string {
	if section == "" {
		return name
	}
	return section + "." + name
}
