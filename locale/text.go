// Package locale holds every text that a person can read, one file for each
// language.
package locale

import (
	"html"
	"strings"
)

// Text is a message in the two forms that Matrix wants: plain text that stands
// alone, and HTML (empty = none). Values that people wrote are escaped in the
// HTML.
type Text struct {
	Plain string
	HTML  string
}

// Lines puts texts below each other; an empty one makes a blank line.
func Lines(texts ...Text) Text {
	var plain, markup strings.Builder
	afterList := true // nothing needs a break at the very start either
	for i, t := range texts {
		h := t.html()
		isList := strings.HasPrefix(h, "<ul>")
		if i > 0 {
			plain.WriteByte('\n')
			if !afterList && !isList {
				markup.WriteString("<br>")
			}
		}
		plain.WriteString(t.Plain)
		markup.WriteString(h)
		afterList = (afterList && h == "") || strings.HasSuffix(h, "</ul>")
	}
	return Text{Plain: plain.String(), HTML: markup.String()}
}

// Paragraphs puts texts below each other with a blank line between them.
func Paragraphs(texts ...Text) Text {
	var spaced []Text
	for i, t := range texts {
		if i > 0 {
			spaced = append(spaced, Text{})
		}
		spaced = append(spaced, t)
	}
	return Lines(spaced...)
}

// List makes a bullet list.
func List(items ...Text) Text {
	if len(items) == 0 {
		return Text{}
	}
	var plain, markup strings.Builder
	markup.WriteString("<ul>")
	for i, item := range items {
		if i > 0 {
			plain.WriteByte('\n')
		}
		plain.WriteString("- " + strings.ReplaceAll(item.Plain, "\n", "\n  "))
		markup.WriteString("<li>" + item.html() + "</li>")
	}
	markup.WriteString("</ul>")
	return Text{Plain: plain.String(), HTML: markup.String()}
}

// Join puts texts on one line with a separator between them.
func Join(separator string, texts ...Text) Text {
	plain, markup := make([]string, len(texts)), make([]string, len(texts))
	for i, t := range texts {
		plain[i], markup[i] = t.Plain, t.html()
	}
	return Text{
		Plain: strings.Join(plain, separator),
		HTML:  strings.Join(markup, html.EscapeString(separator)),
	}
}

// Code is a value as people copy it.
func Code(value string) Text {
	value = tame(value)
	return Text{Plain: value, HTML: "<code>" + html.EscapeString(value) + "</code>"}
}

// html is the HTML of a text, made from its plain form if it has none.
func (t Text) html() string {
	if t.HTML != "" {
		return t.HTML
	}
	return strings.ReplaceAll(html.EscapeString(t.Plain), "\n", "<br>")
}
