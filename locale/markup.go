package locale

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// template is a text of a language file, taken apart. Its markup is a small
// part of Markdown: `code`, **bold**, lines that begin with "- " as bullets,
// and {name} for a value.
type template []line

type line struct {
	bullet bool
	spans  []span
}

// span is a piece of a line that looks the same throughout: words, or a value.
type span struct {
	words string
	value string // name of the placeholder; empty for words
	look  look
}

type look struct{ code, bold bool }

// marks are what has a meaning inside a line.
var marks = regexp.MustCompile("`|\\*\\*|\\{([a-z_]+)\\}")

// parse takes a text apart. It fails on marks that are opened and not closed
// in the same line, and on stray braces.
func parse(source string) (template, error) {
	var t template
	for raw := range strings.SplitSeq(strings.TrimRight(source, "\n"), "\n") {
		var l line
		raw, l.bullet = strings.CutPrefix(raw, "- ")
		var now look
		add := func(words string) error {
			if strings.ContainsAny(words, "{}") {
				return fmt.Errorf("stray brace in %q", words)
			}
			if words != "" {
				l.spans = append(l.spans, span{words: words, look: now})
			}
			return nil
		}
		from := 0
		for _, m := range marks.FindAllStringSubmatchIndex(raw, -1) {
			if err := add(raw[from:m[0]]); err != nil {
				return nil, err
			}
			from = m[1]
			switch raw[m[0]:m[1]] {
			case "`":
				now.code = !now.code
			case "**":
				now.bold = !now.bold
			default:
				l.spans = append(l.spans, span{value: raw[m[2]:m[3]], look: now})
			}
		}
		if err := add(raw[from:]); err != nil {
			return nil, err
		}
		if now.code || now.bold {
			return nil, fmt.Errorf("mark not closed in %q", raw)
		}
		t = append(t, l)
	}
	return t, nil
}

// placeholders are the names of the values that a text wants, sorted.
func (t template) placeholders() []string {
	var names []string
	for _, l := range t {
		for _, s := range l.spans {
			if s.value != "" {
				names = append(names, s.value)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// render fills the values in.
func (t template) render(args Args) Text {
	var done, bullets []Text
	for _, l := range t {
		text := l.render(args)
		if l.bullet {
			bullets = append(bullets, text)
			continue
		}
		if bullets != nil {
			done, bullets = append(done, List(bullets...)), nil
		}
		done = append(done, text)
	}
	if bullets != nil {
		done = append(done, List(bullets...))
	}
	return Lines(done...)
}

func (l line) render(args Args) Text {
	var plain, markup strings.Builder
	var open look // spans that look the same share their tags
	for _, s := range l.spans {
		text := s.text(args)
		if text.Plain == "" {
			continue
		}
		if s.look != open {
			markup.WriteString(open.closing() + s.look.opening())
			open = s.look
		}
		plain.WriteString(text.Plain)
		markup.WriteString(text.html())
	}
	markup.WriteString(open.closing())
	return Text{Plain: plain.String(), HTML: markup.String()}
}

// text is what stands in the span. A value that nobody gave stays visible as
// its placeholder.
func (s span) text(args Args) Text {
	if s.value == "" {
		return Text{Plain: s.words}
	}
	switch value := args[s.value].(type) {
	case nil:
		return Text{Plain: "{" + s.value + "}"}
	case Text:
		return value
	default:
		return Text{Plain: tame(fmt.Sprint(value))}
	}
}

func (l look) opening() (tags string) {
	if l.bold {
		tags += "<strong>"
	}
	if l.code {
		tags += "<code>"
	}
	return tags
}

func (l look) closing() (tags string) {
	if l.code {
		tags += "</code>"
	}
	if l.bold {
		tags += "</strong>"
	}
	return tags
}

// tame keeps a value that a person wrote on its line: control characters
// become spaces, and marks that turn the writing direction are dropped.
func tame(value string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, value)
}
