package chat

import (
	"errors"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/store"
)

func incoming(kind, raw string) store.Incoming {
	return store.Incoming{
		EventID: "$event", RoomID: "!room:x", Sender: "@true:x", Type: kind,
		SentAt: time.UnixMilli(1000), Raw: []byte(raw),
	}
}

// The homeserver checks "sender"; encoding/json would take "Sender" too.
func TestFieldsInOtherLetterCaseChangeNothing(t *testing.T) {
	evt, err := parse(incoming("m.room.message", `{
		"content": {"msgtype": "m.text", "body": "help"}, "CONTENT": {"msgtype": "m.text", "body": "delete-all"},
		"Sender": "@admin:x", "Event_ID": "$other", "ROOM_ID": "!other:x", "Type": "m.room.member", "State_Key": "@admin:x",
		"Origin_Server_TS": 5}`))
	if err != nil {
		t.Fatal(err)
	}
	if evt.Sender != "@true:x" || evt.ID != "$event" || evt.RoomID != "!room:x" || evt.Type != event.EventMessage ||
		evt.StateKey != nil || evt.Timestamp != 1000 || evt.Content.AsMessage().Body != "help" {
		t.Errorf("parsed %+v", evt)
	}
}

func TestEventsThatHaveAnotherFormThanTheirType(t *testing.T) {
	for name, raw := range map[string]string{
		"no content":           `{}`,
		"content is a list":    `{"content":[1]}`,
		"content is null":      `{"content":null}`,
		"body is a number":     `{"content":{"msgtype":"m.text","body":5}}`,
		"relation is a number": `{"content":{"msgtype":"m.text","body":"x","m.relates_to":7}}`,
		"not an object":        `[]`,
		"not JSON":             `{"content":`,
	} {
		evt, err := parse(incoming("m.room.message", raw))
		if err == nil && evt.Content.AsMessage().Body != "" {
			t.Errorf("%s: parsed %+v", name, evt.Content.Parsed)
		}
	}
}

func TestARoomIsDirectOnlyWithExactlyTheTwo(t *testing.T) {
	for _, c := range []struct {
		people []id.UserID
		direct bool
	}{
		{[]id.UserID{"@bot:x", "@a:x"}, true},
		{[]id.UserID{"@a:x", "@bot:x"}, true},
		{[]id.UserID{"@a:x"}, false},
		{[]id.UserID{"@bot:x", "@b:x"}, false},
		{[]id.UserID{"@a:x", "@b:x"}, false},
		{[]id.UserID{"@bot:x", "@a:x", "@b:x"}, false},
		{[]id.UserID{"@bot:x", "@bot:x"}, false},
		{nil, false},
	} {
		if got := (room{people: c.people}).direct("@bot:x", "@a:x"); got != c.direct {
			t.Errorf("%v: direct = %v", c.people, got)
		}
	}
}

// What is refused is named, because mautrix's levels are no ladder.
func TestWhoseDeviceMayGiveCommands(t *testing.T) {
	for level, c := range map[id.TrustState]struct{ known, crossSigned bool }{
		id.TrustStateUnset:                {true, false},
		id.TrustStateCrossSignedUntrusted: {true, true},
		id.TrustStateCrossSignedTOFU:      {true, true},
		id.TrustStateCrossSignedVerified:  {true, true},
		id.TrustStateVerified:             {true, true},
		id.TrustStateBlacklisted:          {false, false},
		id.TrustStateDeviceKeyMismatch:    {false, false},
		id.TrustStateUnknownDevice:        {false, false},
		id.TrustStateForwarded:            {false, false},
		id.TrustStateBackup:               {false, false},
	} {
		evt := &event.Event{Mautrix: event.MautrixInfo{TrustState: level}}
		if err := trusted(evt, false); (err == nil) != c.known || (err != nil && !errors.Is(err, errNotTheirs)) {
			t.Errorf("%s, known-device: %v", level, err)
		}
		if err := trusted(evt, true); (err == nil) != c.crossSigned {
			t.Errorf("%s, cross-signed: %v", level, err)
		}
		evt.Mautrix.ForwardedKeys = true
		if trusted(evt, false) == nil {
			t.Errorf("%s: a forwarded key was trusted", level)
		}
	}
}
