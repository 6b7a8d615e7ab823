package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// JSChat is a room that has the bot in it, as one device shows it: Chat for a
// JSClient.
type JSChat struct {
	RoomID id.RoomID

	client *JSClient
	bot    id.UserID
	heard  int // how many events of the timeline Hear has passed
}

// JSEvent is an event as the client shows it.
type JSEvent struct {
	RoomID  id.RoomID       `json:"room"`
	ID      id.EventID      `json:"id"`
	Sender  id.UserID       `json:"sender"`
	Type    string          `json:"type"` // of what was encrypted, once that is readable
	Content json.RawMessage `json:"content"`
	SentAt  int64           `json:"sent_at"` // origin_server_ts, milliseconds

	Encrypted bool   `json:"encrypted"` // it came encrypted
	Session   string `json:"session"`   // id of the megolm session that encrypted it
	Failure   string `json:"failure"`   // matrix-js-sdk's DecryptionFailureCode; empty = readable
	Late      bool   `json:"-"`         // it was unreadable at first
	// Shield is the warning beside an encrypted event: "none", "grey" or "red";
	// ShieldReason is matrix-js-sdk's EventShieldReason in lower case.
	Shield       string `json:"shield"`
	ShieldReason string `json:"shield_reason"`
}

// jsRoom is what a client has reported of a room.
type jsRoom struct {
	timeline []*JSEvent // in the order of arrival
	members  map[id.UserID]jsMember
}

type jsMember struct {
	RoomID     id.RoomID        `json:"room"`
	UserID     id.UserID        `json:"user"`
	Membership event.Membership `json:"membership"`
	Reason     string           `json:"reason"`
}

// see adds an event to the timeline, or puts it in the place of what was
// unreadable before.
func (r *jsRoom) see(e JSEvent) {
	for _, known := range r.timeline {
		if known.ID == e.ID {
			e.Late = known.Late || known.Failure != "" && !known.historical()
			*known = e
			return
		}
	}
	r.timeline = append(r.timeline, &e)
}

// Say sends a text, encrypted if the room is, as everything here.
func (c *JSChat) Say(ctx context.Context, text string) (id.EventID, error) {
	return c.Send(ctx, &event.MessageEventContent{MsgType: event.MsgText, Body: text})
}

// Notice sends a text as programs do, which must not be answered.
func (c *JSChat) Notice(ctx context.Context, text string) (id.EventID, error) {
	return c.Send(ctx, &event.MessageEventContent{MsgType: event.MsgNotice, Body: text})
}

// Mention sends a text that mentions the bot, as clients write it.
func (c *JSChat) Mention(ctx context.Context, text string) (id.EventID, error) {
	return c.Send(ctx, mention(c.bot, text))
}

func mention(bot id.UserID, text string) *event.MessageEventContent {
	return &event.MessageEventContent{
		MsgType:       event.MsgText,
		Body:          "Registration Bot: " + text,
		Format:        event.FormatHTML,
		FormattedBody: fmt.Sprintf(`<a href="%s">Registration Bot</a>: %s`, bot.URI().MatrixToURL(), html.EscapeString(text)),
		Mentions:      &event.Mentions{UserIDs: []id.UserID{bot}},
	}
}

// Edit replaces the text of a message.
func (c *JSChat) Edit(ctx context.Context, message id.EventID, text string) (id.EventID, error) {
	content := &event.MessageEventContent{MsgType: event.MsgText, Body: text}
	content.SetEdit(message)
	return c.Send(ctx, content)
}

// Send sends any message.
func (c *JSChat) Send(ctx context.Context, content *event.MessageEventContent) (id.EventID, error) {
	return c.send(ctx, event.EventMessage, content)
}

// React puts a mark under a message. Marks are never encrypted.
func (c *JSChat) React(ctx context.Context, message id.EventID, key string) error {
	_, err := c.send(ctx, event.EventReaction, &event.ReactionEventContent{
		RelatesTo: event.RelatesTo{Type: event.RelAnnotation, EventID: message, Key: key},
	})
	return err
}

func (c *JSChat) send(ctx context.Context, kind event.Type, content any) (id.EventID, error) {
	var sent id.EventID
	err := c.client.process.ask(ctx, "send", map[string]any{
		"room": c.RoomID, "type": kind.Type, "content": content,
	}, &sent)
	return sent, err
}

// Hear returns the bot's next message, which it waits for. If that message
// can't be decrypted it waits for the key; that it did not come is an error. What
// was sent before the device existed is passed over.
func (c *JSChat) Hear(ctx context.Context) (Message, error) {
	var next *JSEvent
	err := c.client.wait(ctx, "the bot's next message", func() bool {
		timeline := c.client.inRoom(c.RoomID).timeline
		for ; c.heard < len(timeline); c.heard++ {
			next = timeline[c.heard]
			switch {
			case next.Sender != c.bot, next.historical():
			case next.Failure != "":
				return false
			case next.Type == event.EventMessage.Type:
				c.heard++
				return true
			}
		}
		return false
	})
	switch {
	case err == nil:
		return next.message(), nil
	case next != nil && next.Failure != "":
		return Message{}, fmt.Errorf("%w (%s can't be read: %s)", err, next.ID, next.Failure)
	}
	return Message{}, err
}

// historical tells whether an event was sent before the device existed or while its
// owner was not in the room: nobody expects to read that.
func (e *JSEvent) historical() bool { return strings.HasPrefix(e.Failure, "HISTORICAL_MESSAGE_") }

func (e *JSEvent) message() Message {
	var content event.MessageEventContent
	_ = json.Unmarshal(e.Content, &content) // what is no message has no body
	return Message{
		ID:        e.ID,
		Body:      content.Body,
		HTML:      content.FormattedBody,
		Type:      content.MsgType,
		InReplyTo: content.RelatesTo.GetReplyTo(),
		Mentions:  content.Mentions,
		Encrypted: e.Encrypted,
		SentAt:    time.UnixMilli(e.SentAt),
	}
}

// Ask says something and returns the bot's next message, which must be the
// answer to it.
func (c *JSChat) Ask(ctx context.Context, text string) (Message, error) { return ask(ctx, c, text) }

// Marks returns the bot's reactions under a message, and waits until there are n.
func (c *JSChat) Marks(ctx context.Context, message id.EventID, n int) ([]Reaction, error) {
	var marks []Reaction
	err := c.client.wait(ctx, fmt.Sprintf("%d marks under %s", n, message), func() bool {
		marks = nil
		for _, e := range c.client.inRoom(c.RoomID).timeline {
			var content event.ReactionEventContent
			if e.Sender != c.bot || e.Type != event.EventReaction.Type || json.Unmarshal(e.Content, &content) != nil {
				continue
			}
			if content.RelatesTo.EventID == message {
				marks = append(marks, Reaction{ID: e.ID, To: message, Key: content.RelatesTo.Key})
			}
		}
		return len(marks) >= n
	})
	return marks, err
}

// Until waits until a member of the room has the given membership, and returns
// the reason that was given for it.
func (c *JSChat) Until(ctx context.Context, user id.UserID, membership event.Membership) (reason string, err error) {
	var member jsMember
	err = c.client.wait(ctx, fmt.Sprintf("%s: %s", user, membership), func() bool {
		member = c.client.inRoom(c.RoomID).members[user]
		return member.Membership == membership
	})
	return member.Reason, err
}

// Timeline returns what the client has shown of the room, in the order of arrival.
func (c *JSChat) Timeline() []JSEvent {
	c.client.mu.Lock()
	defer c.client.mu.Unlock()
	var events []JSEvent
	for _, e := range c.client.inRoom(c.RoomID).timeline {
		events = append(events, *e)
	}
	return events
}

// See waits until the client has an event, readable or not, and returns it.
func (c *JSChat) See(ctx context.Context, what id.EventID) (JSEvent, error) {
	return c.find(ctx, what, func(JSEvent) bool { return true })
}

// SeeTrusted waits until the client shows an event as encrypted and without a
// warning beside it. That there is one for a moment, until the client has asked for
// the sender's keys, is normal.
func (c *JSChat) SeeTrusted(ctx context.Context, what id.EventID) (JSEvent, error) {
	seen, err := c.find(ctx, what, func(e JSEvent) bool { return !e.Encrypted || e.Shield == "none" })
	switch {
	case err != nil:
		return seen, fmt.Errorf("%w (it has a %s shield: %s)", err, seen.Shield, seen.ShieldReason)
	case !seen.Encrypted:
		return seen, fmt.Errorf("the event %s came in plain text: %s", seen.ID, seen.Content)
	}
	return seen, nil
}

// find waits until the client shows an event in the wanted way.
func (c *JSChat) find(ctx context.Context, what id.EventID, wanted func(JSEvent) bool) (JSEvent, error) {
	var found JSEvent
	err := c.client.wait(ctx, "the event "+what.String(), func() bool {
		for _, e := range c.client.inRoom(c.RoomID).timeline {
			if e.ID == what {
				found = *e
				return wanted(found)
			}
		}
		return false
	})
	return found, err
}

// Invite asks somebody into the room.
func (c *JSChat) Invite(ctx context.Context, user id.UserID) error {
	return c.client.process.ask(ctx, "invite", map[string]any{"room": c.RoomID, "user": user}, nil)
}

// Kick removes somebody from the room.
func (c *JSChat) Kick(ctx context.Context, user id.UserID) error {
	return c.client.process.ask(ctx, "kick", map[string]any{"room": c.RoomID, "user": user}, nil)
}

// Leave leaves the room.
func (c *JSChat) Leave(ctx context.Context) error {
	return c.client.process.ask(ctx, "leave", map[string]any{"room": c.RoomID}, nil)
}

// Encrypt turns encryption on in a room that has none; rotateAfter is the
// number of messages for each megolm session, 0 for the client's own.
func (c *JSChat) Encrypt(ctx context.Context, rotateAfter int) error {
	return c.client.process.ask(ctx, "encrypt", map[string]any{"room": c.RoomID, "rotate_after": rotateAfter}, nil)
}

// Rotate makes the next message use a new megolm session.
func (c *JSChat) Rotate(ctx context.Context) error {
	return c.client.process.ask(ctx, "rotate", map[string]any{"room": c.RoomID}, nil)
}

// JSVerification is how far a request to compare emoji has come.
type JSVerification struct {
	RoomID      id.RoomID `json:"room"`
	Phase       string    `json:"phase"` // requested, ready, started, cancelled or done
	Code        string    `json:"code"`  // of m.key.verification.cancel
	CancelledBy id.UserID `json:"cancelled_by"`
}

// RequestVerification asks the bot to compare emoji, and waits until the
// request has been cancelled.
func (c *JSChat) RequestVerification(ctx context.Context) (JSVerification, error) {
	var cancelled JSVerification
	err := c.client.process.ask(ctx, "requestVerification", map[string]any{"room": c.RoomID, "user": c.bot}, nil)
	if err != nil {
		return cancelled, err
	}
	err = c.client.wait(ctx, "the verification to be cancelled", func() bool {
		for _, v := range c.client.verifications {
			if v.RoomID == c.RoomID && v.Phase == "cancelled" {
				cancelled = v
				return true
			}
		}
		return false
	})
	return cancelled, err
}
