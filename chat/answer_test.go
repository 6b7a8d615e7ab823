package chat

import (
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/store"
)

func said(plain string) commands.Text { return commands.Text{Text: locale.Text{Plain: plain}} }

func TestTheSameAnswerIsTheSameMessages(t *testing.T) {
	reply := commands.Reply{Texts: []commands.Text{said("a"), said("b?")}, Question: &commands.Question{ID: "$event"}}
	first := answer(incoming("m.room.message", ""), reply, relation{encrypted: true})
	again := answer(incoming("m.room.message", ""), reply, relation{encrypted: true})
	if len(first) != 4 {
		t.Fatalf("%d messages, want two texts and two reactions", len(first))
	}
	seen := map[string]bool{}
	for n := range first {
		if first[n].TxnID != again[n].TxnID || seen[first[n].TxnID] {
			t.Errorf("message %d has transaction id %q, then %q", n, first[n].TxnID, again[n].TxnID)
		}
		seen[first[n].TxnID] = true
	}
	if first[0].Question || !first[1].Question {
		t.Error("it is the last text that asks")
	}
	for _, reaction := range first[2:] {
		if reaction.Target != first[1].TxnID || reaction.Type != "m.reaction" {
			t.Errorf("a reaction under %q", reaction.Target)
		}
	}
	if !first[0].Encrypt || !first[1].Encrypt {
		t.Error("the answer to an encrypted event must be encrypted")
	}
}

func TestHowAnAnswerRefersToItsEvent(t *testing.T) {
	forward := commands.Text{Text: locale.Text{Plain: "hello"}, Forward: true}
	for name, c := range map[string]struct {
		text  commands.Text
		rel   relation
		check func(*event.MessageEventContent) bool
	}{
		"an answer quotes": {said("x"), relation{}, func(c *event.MessageEventContent) bool {
			return c.RelatesTo.GetReplyTo() == "$event" && c.MsgType == event.MsgNotice
		}},
		"in a thread it stays there": {said("x"), relation{thread: "$root"}, func(c *event.MessageEventContent) bool {
			return c.RelatesTo.GetThreadParent() == "$root"
		}},
		"a text to forward has no quote": {forward, relation{}, func(c *event.MessageEventContent) bool {
			return c.RelatesTo.GetReplyTo() == "" && c.RelatesTo.GetReferenceID() == "$event" && c.MsgType == event.MsgText
		}},
		"a greeting has nothing to quote": {said("x"), relation{wordless: true}, func(c *event.MessageEventContent) bool {
			return c.RelatesTo.GetReplyTo() == "" && c.RelatesTo.GetReferenceID() == "$event" && c.MsgType == event.MsgNotice
		}},
		"nobody is mentioned by words": {said("@room"), relation{}, func(c *event.MessageEventContent) bool {
			return c.Mentions != nil && !c.Mentions.Room && len(c.Mentions.UserIDs) == 0
		}},
	} {
		if got := content(c.text, "$event", c.rel); !c.check(got) {
			t.Errorf("%s: %+v %+v", name, got, got.RelatesTo)
		}
	}
}

func TestWhenTheHomeserverMayHaveForgottenAnAttempt(t *testing.T) {
	for name, c := range map[string]struct {
		m        store.Outgoing
		loggedIn bool
		want     bool
	}{
		"never attempted":             {store.Outgoing{}, false, false},
		"never attempted by a log-in": {store.Outgoing{}, true, false},
		"an hour ago":                 {store.Outgoing{FirstTry: time.Now().Add(-time.Hour), Device: "D"}, false, false},
		"an hour ago by a log-in":     {store.Outgoing{FirstTry: time.Now().Add(-time.Hour), Device: "D"}, true, true},
		"more than 23 hours ago":      {store.Outgoing{FirstTry: time.Now().Add(-24 * time.Hour), Device: "D"}, false, true},
		"just now, by another device": {store.Outgoing{FirstTry: time.Now(), Device: "OLD"}, false, true},
	} {
		s := &session{client: &mautrix.Client{DeviceID: "D"}, loggedIn: c.loggedIn}
		if got := s.forgotten(c.m); got != c.want {
			t.Errorf("%s: forgotten = %v", name, got)
		}
	}
}

func TestTheBotsOwnAnswersAreRecognised(t *testing.T) {
	empty := ""
	relates := func(kind event.Type, relation string, state *string) *event.Event {
		raw := `{"msgtype":"m.notice","body":"x","algorithm":"m.megolm.v1.aes-sha2","ciphertext":"x","m.relates_to":` + relation + `}`
		evt := &event.Event{ID: "$x", Type: kind, StateKey: state}
		if err := evt.Content.UnmarshalJSON([]byte(raw)); err != nil {
			t.Fatal(err)
		}
		return evt
	}
	reply, reference := `{"m.in_reply_to":{"event_id":"$cause"}}`, `{"rel_type":"m.reference","event_id":"$cause"}`
	for name, c := range map[string]struct {
		evt  *event.Event
		want bool
	}{
		"a reply":              {relates(event.EventMessage, reply, nil), true},
		"an encrypted reply":   {relates(event.EventEncrypted, reply, nil), true},
		"a text to forward":    {relates(event.EventMessage, reference, nil), true},
		"an answer to another": {relates(event.EventMessage, `{"m.in_reply_to":{"event_id":"$other"}}`, nil), false},
		"no relation":          {relates(event.EventMessage, `null`, nil), false},
		"a state event":        {relates(event.EventMessage, reply, &empty), false},
	} {
		if got := answers(relationOf(c.evt), "$cause"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
