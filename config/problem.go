package config

import (
	"fmt"
	"strings"
	"unicode"
)

// Error is everything that is wrong with a config.yaml or registration.yaml,
// found in one go.
type Error struct {
	Problems []Problem
}

// Error gives one line for each problem.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Problem is one thing that is wrong.
type Problem struct {
	Place string // "config.yaml:12" or "environment variable API_TOKEN"
	Key   string // "api.token"; empty if it is about the whole file
	Text  string // what is wrong and what to do; never a secret value
}

// String gives the problem in one line.
func (p Problem) String() string {
	text := p.Place + ": " + p.Text
	if p.Key != "" {
		text = p.Place + ": " + p.Key + ": " + p.Text
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' ' // a key can hold anything
	}, text)
}

// place is where a value stands.
type place struct {
	source string // file or environment variable
	line   int    // from 1; 0 = unknown
	block  bool   // the value begins on the next line ("key: |")
}

func (p place) String() string {
	if p.line == 0 {
		return p.source
	}
	return fmt.Sprintf("%s:%d", p.source, p.line)
}

// inside is the place of the n-th line (from 1) of a value of many lines.
func (p place) inside(n int) place {
	if p.line != 0 {
		p.line += n
		if !p.block {
			p.line--
		}
	}
	return p
}

// findings collects the places of values and the problems with them.
type findings struct {
	file     string
	places   map[string]place // key to where its value stands
	problems []Problem
}

// at is where the value of a key stands; the file as a whole if nowhere.
func (f *findings) at(key string) place {
	if p, ok := f.places[key]; ok {
		return p
	}
	return place{source: f.file}
}

// problem describes what is wrong with the value of a key.
func (f *findings) problem(key, text string) Problem {
	return Problem{Place: f.at(key).String(), Key: key, Text: text}
}

// wrong notes what is wrong with the value of a key, unless something around
// it was wrong already: then this is only a consequence.
func (f *findings) wrong(key, format string, args ...any) {
	f.note(f.problem(key, fmt.Sprintf(format, args...)))
}

// note is wrong for a problem with a place of its own.
func (f *findings) note(p Problem) {
	for _, earlier := range f.problems {
		if earlier.Key == "" || earlier.Key == p.Key || strings.HasPrefix(p.Key, earlier.Key+".") {
			return
		}
	}
	f.problems = append(f.problems, p)
}

// err is nil if nothing is wrong.
func (f *findings) err() error {
	if len(f.problems) == 0 {
		return nil
	}
	return &Error{Problems: f.problems}
}
