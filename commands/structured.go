package commands

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// takeApart makes words of what was said. Those of a structured command (MSC4391)
// are what the person would have typed. The value of an option stays in its word,
// whatever marks or spaces are in it, so that it can't become anything else.
func (r *Request) takeApart(text string) ([]string, error) {
	size := len(text)
	if r.Structured != nil {
		size = len(r.Structured.Command) + len(r.Structured.Arguments)
	}
	switch {
	case size > longestCommand:
		return nil, r.mistake("parse.too_long", nil)
	case r.Structured == nil:
		return split(text), nil
	}
	arguments, ok := readArguments(r.Structured.Arguments)
	if !ok {
		return nil, r.mistake("parse.structured", nil)
	}
	words := split(r.Structured.Command)
	for _, key := range slices.Sorted(maps.Keys(arguments)) {
		if value := arguments[key]; key != wordsParameter && value != "" {
			words = append(words, key+"="+value)
		}
	}
	return append(words, split(arguments[wordsParameter])...), nil
}

// readArguments reads the arguments of a structured command; ok is false if some
// are not what Descriptions asked for. Clients may send what was not filled in as
// null or as an empty text.
func readArguments(raw json.RawMessage) (arguments map[string]string, ok bool) {
	if len(raw) == 0 {
		return nil, true
	}
	var values map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&values) != nil {
		return nil, false
	}
	arguments = make(map[string]string, len(values))
	for key, value := range values {
		if !isOptionKey(key) {
			return nil, false
		}
		switch value := value.(type) {
		case nil:
		case string:
			arguments[key] = strings.ReplaceAll(value, "\x00", "") // PostgreSQL can't keep it
		case json.Number:
			arguments[key] = value.String()
		default:
			return nil, false
		}
	}
	return arguments, true
}
