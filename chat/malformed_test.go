package chat

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/appservice"
	"matrix-registration-bot/store"
)

// wantedTypes are those that the bot handles, and whether they are state.
var wantedTypes = map[string]bool{
	"m.room.message":            false,
	"m.room.encrypted":          false,
	"m.reaction":                false,
	"m.room.member":             true,
	"m.room.encryption":         true,
	"m.room.history_visibility": true,
	"m.room.tombstone":          true,
}

// malformed are contents that no type of event has. In them $self stands for the
// id of the event.
func malformed() []string {
	deep := strings.Repeat(`{"m.relates_to":`, 5_000) + "1" + strings.Repeat("}", 5_000)
	contents := []string{
		`null`, `[]`, `5`, `"text"`, `true`, `{}`, deep,
		`{"\u0000":"\u0000"}`, `{"":{"":[]}}`, `{"body":"\ud800","msgtype":"m.text"}`,
		`{"msgtype":"m.text","body":"x","m.relates_to":{"m.in_reply_to":{"event_id":"$self"},"event_id":"$self","rel_type":"m.thread"}}`,
		`{"msgtype":"m.text","body":"x","m.new_content":{"m.new_content":{"m.new_content":{}}},"m.relates_to":{"rel_type":"m.replace"}}`,
		`{"msgtype":"m.text","body":"> <@a:x> a\n> b\n\n","m.relates_to":{"m.in_reply_to":{"event_id":"$none"}}}`,
		fmt.Sprintf(`{"msgtype":"m.text","body":%q}`, strings.Repeat("ä", 32_000)),
	}
	for _, key := range []string{
		"msgtype", "body", "formatted_body", "format", "m.mentions", "m.relates_to", "m.new_content",
		"membership", "displayname", "is_direct", "third_party_invite", "join_authorised_via_users_server",
		"algorithm", "ciphertext", "sender_key", "session_id", "device_id", "rotation_period_ms", "rotation_period_msgs",
		"history_visibility", "replacement_room", "room_version",
	} {
		for _, value := range []string{`1e400`, `["x"]`, `"x"`} {
			contents = append(contents, fmt.Sprintf(`{%q:%s}`, key, value))
		}
	}
	return contents
}

// Nothing that an event may hold holds up what comes after it.
func TestMalformedEventsHoldUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, &homeserver{people: []id.UserID{anna, ben}}, echo)
		var events []appservice.Event
		for kind, state := range wantedTypes {
			for _, content := range malformed() {
				for _, key := range []string{"", theBot.String()} {
					eventID := fmt.Sprintf("$malformed%d", len(events))
					content := strings.ReplaceAll(content, "$self", eventID)
					e := appservice.Event{
						ID: eventID, RoomID: "!room:x", Sender: anna.String(), Type: kind,
						Raw: fmt.Appendf(nil, `{"content":%s,"unsigned":{"invite_room_state":%s}}`, content, content),
					}
					if kind == "m.room.encryption" {
						e.RoomID = "!other:x" // it would make the room an encrypted one
					}
					if state {
						e.StateKey = &key
					}
					events = append(events, e)
					if !state {
						break
					}
				}
			}
		}
		if err := l.db.Accept(t.Context(), "malformed", events, nil); err != nil {
			t.Fatal(err)
		}
		l.hears("!room:x", ben, "hello")
		l.hears("!other:x", ben, "hello")
		l.until("nothing is left", func() bool {
			rooms, err := l.db.RoomsWithEvents(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return len(rooms) == 0
		})
		heard := l.server.said("!room:x")
		if n := strings.Count(strings.Join(heard, "\n"), "hello"); n != 1 {
			t.Errorf("ben was answered %d times", n)
		}
	})
}

// FuzzEvent: whatever bytes an event has, reading it ends without a panic, and
// who said it is never taken from them.
func FuzzEvent(f *testing.F) {
	for _, content := range malformed() {
		if len(content) < 1<<10 { // a larger one only slows the fuzzer down
			f.Add(`{"content":` + content + `}`)
		}
	}
	f.Add(`{"content":{"msgtype":"m.text","body":"help"},"sender":"@admin:x","Sender":"@admin:x"}`)
	f.Add(`{"content":{"membership":"invite"},"unsigned":{"invite_room_state":[{"type":"m.room.encryption"}]}}`)
	f.Fuzz(func(t *testing.T, raw string) {
		for kind, state := range wantedTypes {
			in := store.Incoming{EventID: "$self", RoomID: "!room:x", Sender: anna, Type: kind, Raw: []byte(raw)}
			if state {
				in.StateKey = new(string)
			}
			evt, err := parse(in)
			if err != nil {
				continue
			}
			if evt.Sender != anna || evt.ID != "$self" || evt.RoomID != "!room:x" || (evt.StateKey != nil) != state {
				t.Fatalf("%s: %+v", kind, evt)
			}
			answers(relationOf(evt), "$cause")
			invitedEncrypted(evt)
			if kind == "m.room.message" {
				content := evt.Content.AsMessage()
				content.RemoveReplyFallback()
				_ = content.RelatesTo.GetThreadParent()
				_ = content.Mentions.Has(theBot)
			}
		}
	})
}
