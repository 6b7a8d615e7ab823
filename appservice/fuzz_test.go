package appservice

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func FuzzTransaction(f *testing.F) {
	for _, tc := range nastyBodies() {
		if len(tc.body) < 1<<20 { // a larger one only slows the fuzzer down
			f.Add(tc.body)
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		in := &inbox{}
		res := handle(t.Context(), New(testConfig(in)), body)
		if res.Code != http.StatusOK || res.Body.String() != "{}" {
			t.Fatalf("got %d %s", res.Code, res.Body)
		}
		committed := in.ids()
		for _, id := range strictlyReadable(body) {
			if !slices.Contains(committed, id) {
				t.Errorf("event %q is lost", id)
			}
		}
		for _, event := range in.events {
			if !json.Valid(event.Raw) || !strings.Contains(body, string(event.Raw)) {
				t.Errorf("event %q has the bytes %q", event.ID, event.Raw)
			}
			for _, text := range []string{event.ID, event.RoomID, event.Sender, event.Type} {
				if text == "" || !storable(text) {
					t.Errorf("event %q has the field %q", event.ID, text)
				}
			}
		}
		if text := strings.TrimSpace(body); text != "" && text[0] != '{' && len(in.unreadable) == 0 {
			t.Error("a body that is no object leaves no trace")
		}
	})
}

// strictlyReadable returns the ids of the good events in a body that
// encoding/json accepts as a whole.
func strictlyReadable(body string) []string {
	var transaction map[string]json.RawMessage
	var items []json.RawMessage
	if json.Unmarshal([]byte(body), &transaction) != nil || json.Unmarshal(transaction["events"], &items) != nil {
		return nil
	}
	var ids []string
	for _, item := range items {
		var event map[string]json.RawMessage
		if json.Unmarshal(item, &event) != nil {
			continue
		}
		good := true
		for _, key := range []string{"event_id", "room_id", "sender", "type"} {
			var text string
			good = good && json.Unmarshal(event[key], &text) == nil && text != "" && storable(text)
		}
		if value, given := event["state_key"]; given {
			var text string
			good = good && json.Unmarshal(value, &text) == nil && storable(text)
		}
		if good {
			var id string
			_ = json.Unmarshal(event["event_id"], &id)
			ids = append(ids, id)
		}
	}
	return ids
}

// The bytes per second must not fall when the body grows.
func BenchmarkParse(b *testing.B) {
	for name, piece := range map[string]string{
		"events":      message("$1") + ",",
		"nonsense":    "0,",
		"brackets":    "[",
		"pairs":       "[],",
		"braces":      `{"a":`,
		"backslashes": `\\`,
		"quotes":      `"`,
		"escaped":     `\"`,
		"digits":      "9",
		"keys":        `"a":1,`,
	} {
		for size, bytes := range map[string]int{"1MiB": 1 << 20, "8MiB": 8 << 20} {
			for start, prefix := range map[string]string{"events": `{"events":[`, "text": `{"events":["`} {
				b.Run(name+"/"+start+"/"+size, func(b *testing.B) {
					body := prefix + strings.Repeat(piece, bytes/len(piece))
					s := New(testConfig(&inbox{}))
					b.SetBytes(int64(len(body)))
					for b.Loop() {
						s.parse(body)
					}
				})
			}
		}
	}
}
