package appservice

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseEvent(t *testing.T) {
	const raw = `{"event_id":"$1","room_id":"!r:example.com","sender":"@anna:example.com","type":"m.room.member","state_key":"@bob:example.com",` +
		`"origin_server_ts":1700000000000,"unsigned":{"age":1234},"content":{"a":"\u0000\ud800"}}`
	stateKey := "@bob:example.com"
	want := Event{
		ID: "$1", RoomID: "!r:example.com", Sender: "@anna:example.com", Type: "m.room.member", StateKey: &stateKey,
		SentAt: 1700000000000, Age: 1234, Raw: []byte(raw),
	}
	got, ok := parseEvent(raw)
	if !ok || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v (%v), want %+v", got, ok, want)
	}
}

// edited is a good event with one field set to this JSON; "" removes it.
func edited(field, value string) string {
	fields := map[string]string{
		"event_id": `"$1"`, "room_id": `"!r:example.com"`, "sender": `"@anna:example.com"`, "type": `"m.room.message"`,
		"origin_server_ts": "1700000000000", "unsigned": `{"age":1234}`, "content": "{}",
	}
	fields[field] = value
	if value == "" {
		delete(fields, field)
	}
	var members []string
	for key, text := range fields {
		members = append(members, `"`+key+`":`+text)
	}
	return "{" + strings.Join(members, ",") + "}"
}

func TestUnimportantFieldsNeverCostAnEvent(t *testing.T) {
	for _, field := range []string{"origin_server_ts", "unsigned", "content", "redacts", "age", "user_id"} {
		for _, value := range []string{`null`, `"1700000000000"`, `-5`, `1e400`, `99999999999999999999999`, `[1]`, `{"age":[]}`, `{"age":"1"}`, `true`, `"\u0000"`} {
			event, ok := parseEvent(edited(field, value))
			if !ok || event.ID != "$1" {
				t.Errorf("%s: %s: the event is lost", field, value)
			}
			if event.SentAt < 0 || event.SentAt > maxInteger || event.Age < 0 || event.Age > maxInteger {
				t.Errorf("%s: %s: sent at %d, age %d", field, value, event.SentAt, event.Age)
			}
		}
	}
	if event, _ := parseEvent(edited("origin_server_ts", "1700000000000.7")); event.SentAt != 1700000000000 {
		t.Errorf("a time with a fraction is read as %d", event.SentAt)
	}
}

func TestFieldsThatMatterMustBeSound(t *testing.T) {
	for _, field := range []string{"event_id", "room_id", "sender", "type"} {
		for _, value := range []string{
			``, `null`, `1`, `["x"]`, `{}`, `true`, `""`, `"a\u0000b"`, `"a\nb"`, `"a\u0085b"`, "\"a\x7fb\"", `"\ud800"`, "\"\xff\"",
			`"` + strings.Repeat("é", 128) + `"`,
		} {
			if _, ok := parseEvent(edited(field, value)); ok {
				t.Errorf("%s: %s is taken for good", field, value)
			}
		}
		if _, ok := parseEvent(edited(field, `"`+strings.Repeat("é", 127)+`"`)); !ok {
			t.Errorf("%s of 254 bytes is refused", field)
		}
	}
}

func TestStateKeys(t *testing.T) {
	for value, want := range map[string]string{
		`""`: "set", `"@bob:example.com"`: "set", `null`: "none", ``: "none",
		`1`: "unreadable", `{}`: "unreadable", `"\u0000"`: "unreadable", `"` + strings.Repeat("a", 256) + `"`: "unreadable",
	} {
		got := "none"
		if event, ok := parseEvent(edited("state_key", value)); !ok {
			got = "unreadable"
		} else if event.StateKey != nil {
			got = "set"
		}
		if got != want {
			t.Errorf("state key %q: %s, want %s", value, got, want)
		}
	}
}

func TestKeysOfOtherCaseForgeNothing(t *testing.T) {
	event, ok := parseEvent(strings.TrimSuffix(message("$1"), "}") +
		`,"Sender":"@admin:example.com","EVENT_ID":"$2","Room_id":"!x:example.com","tYPE":"x","State_Key":"","ſender":"@admin:example.com"}`)
	if !ok || event.Sender != "@anna:example.com" || event.ID != "$1" || event.RoomID != "!r:example.com" || event.Type != "m.room.message" || event.StateKey != nil {
		t.Errorf("got %+v (%v)", event, ok)
	}
}
