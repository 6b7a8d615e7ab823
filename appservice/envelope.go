package appservice

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxIDBytes is the longest that an id, a type or a state key may be.
// https://spec.matrix.org/v1.17/client-server-api/#size-limits
const maxIDBytes = 255

// maxInteger is the largest integer of Matrix's JSON.
const maxInteger = 1<<53 - 1

// parseEvent reads what routing needs from one event. ok is false if a field
// that matters is missing or can't be true; event then holds what could be
// read.
//
// Keys are compared exactly, which decoding into a struct would not do (see
// Event).
func parseEvent(raw string) (event Event, ok bool) {
	event.Raw = []byte(raw)
	var fields map[string]json.RawMessage
	if json.Unmarshal(event.Raw, &fields) != nil {
		return event, false
	}
	ok = true
	for key, field := range map[string]*string{
		"event_id": &event.ID,
		"room_id":  &event.RoomID,
		"sender":   &event.Sender,
		"type":     &event.Type,
	} {
		text := parseText(fields[key])
		if text != nil {
			*field = *text
		}
		ok = ok && *field != "" && storable(*field)
	}
	if value, given := fields["state_key"]; given && string(value) != "null" {
		event.StateKey = parseText(value)
		ok = ok && event.StateKey != nil && storable(*event.StateKey)
	}
	event.SentAt = parseMilliseconds(fields["origin_server_ts"])
	var unsigned map[string]json.RawMessage
	_ = json.Unmarshal(fields["unsigned"], &unsigned) // anything but an object has no age
	event.Age = parseMilliseconds(unsigned["age"])
	return event, ok
}

// parseText returns nil if the value is no string.
func parseText(value json.RawMessage) *string {
	var text *string
	if json.Unmarshal(value, &text) != nil {
		return nil
	}
	return text
}

// parseMilliseconds returns 0 for anything but a number that can be a time:
// fields that nothing depends on must not cost an event.
func parseMilliseconds(value json.RawMessage) int64 {
	var n float64
	if json.Unmarshal(value, &n) != nil || n < 0 || n > maxInteger {
		return 0
	}
	return int64(n)
}

// storable says whether a text can be a Matrix identifier that any database
// keeps as it is: not too long, no NUL or other control character, and no
// replacement character, which stands for bytes that are lost.
func storable(text string) bool {
	return len(text) <= maxIDBytes && utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool {
		return unicode.IsControl(r) || r == utf8.RuneError
	})
}

// ParseEvent reads an event that came by another way than a transaction. ok is
// false if it lacks what every event has.
func ParseEvent(raw []byte) (event Event, ok bool) { return parseEvent(string(raw)) }
