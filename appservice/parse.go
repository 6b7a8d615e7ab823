package appservice

import (
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"
)

// Bounds of what is set aside from one transaction: beyond them, the start of
// the body is kept instead of the single pieces, so that a flood of nonsense
// can't make the commit too slow to ever succeed.
const (
	maxAsidePieces = 100
	maxAsideBytes  = 8 << 20
)

// transaction is a body being taken apart.
type transaction struct {
	wants      func(Event) bool
	events     []Event
	unreadable [][]byte
	asideBytes int
	broken     bool // the body as a whole has to be set aside
}

// parse takes a body apart and never fails: what can't be read is returned
// as it came.
//
// Good events are returned even from a body that is broken elsewhere. Deep
// nesting needs care: encoding/json refuses a whole body because of one value
// nested deeper than 10,000, and gjson.Valid is recursive and would overflow
// the stack, which ends the process. So gjson's scanning functions, which only
// count brackets, find the events, and encoding/json judges each alone.
func (s *Server) parse(body string) (events []Event, unreadable [][]byte) {
	t := transaction{wants: s.cfg.Wants}
	s.parseInto(&t, body)
	if t.broken && body != "" {
		t.unreadable = [][]byte{[]byte(body[:min(len(body), maxAsideBytes)])}
	}
	return t.events, t.unreadable
}

// parseInto takes the body apart until the end or until a mistake of ours,
// which must not become a lasting error.
func (s *Server) parseInto(t *transaction, body string) {
	defer func() {
		if problem := recover(); problem != nil {
			s.logPanic(problem, "Parsing a transaction ended in a panic")
			t.broken = true
		}
	}()
	root := gjson.Parse(body)
	if !root.IsObject() {
		t.broken = true
		return
	}
	whole := eachValue(body, root, func(key, value gjson.Result) {
		// Ephemeral and to-device events are not taken from here.
		if key.Str == "events" && !(value.IsArray() && eachValue(body, value, t.add)) {
			t.broken = true
		}
	})
	if before := body[:root.Index]; !whole || strings.Trim(before, whiteSpace) != "" {
		t.broken = true
	}
}

// whiteSpace is what JSON may have between its values.
const whiteSpace = " \t\r\n"

// add sorts one item of "events".
func (t *transaction) add(_, item gjson.Result) {
	event, ok := parseEvent(item.Raw)
	switch {
	case event.Type != "" && t.wants != nil && !t.wants(event):
		// Asked first, because people can send any type that they like: odd
		// ones must not pile up in what is set aside.
	case ok:
		t.events = append(t.events, event)
	case len(t.unreadable) < maxAsidePieces && t.asideBytes+len(item.Raw) <= maxAsideBytes:
		t.unreadable = append(t.unreadable, []byte(item.Raw))
		t.asideBytes += len(item.Raw)
	default:
		t.broken = true
	}
}

// eachValue calls found for each value of an object or array, which must be
// the result of parsing body. It reports whether what stands around the values
// is well-formed, because gjson passes over anything there; what stands inside
// them is not judged.
func eachValue(body string, container gjson.Result, found func(key, value gjson.Result)) bool {
	var frame []byte // the container with a 0 for each value
	end, whole := container.Index, true
	container.ForEach(func(key, value gjson.Result) bool {
		if whole = strings.HasPrefix(body[value.Index:], value.Raw); !whole {
			return false
		}
		frame = append(append(frame, body[end:value.Index]...), '0')
		end = value.Index + len(value.Raw)
		found(key, value)
		return true
	})
	frame = append(frame, body[end:container.Index+len(container.Raw)]...)
	return whole && json.Valid(frame)
}
