package lab

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Chat is a room that has the bot in it, as one person sees it.
type Chat struct {
	RoomID     id.RoomID
	Highlights int // messages that mention the person, as the homeserver counted at the last news

	person  *Person
	bot     id.UserID
	members map[id.UserID]*event.MemberEventContent
	unheard []Message  // the bot's, oldest first, not yet returned by Hear
	marks   []Reaction // the bot's
}

// Person is whose view of the room this is.
func (c *Chat) Person() *Person { return c.person }

// Message is something that the bot wrote.
type Message struct {
	ID        id.EventID
	Body      string            // plain text
	HTML      string            // empty if there is none
	Type      event.MessageType // m.notice, m.text ...
	InReplyTo id.EventID        // the command that it answers
	Mentions  *event.Mentions   // whom it notifies; nil: whoever is named in the text
	Encrypted bool
	SentAt    time.Time
}

// Reaction is a mark under a message.
type Reaction struct {
	ID  id.EventID
	To  id.EventID
	Key string
}

var codeElement = regexp.MustCompile(`(?s)<code>(.*?)</code>`)

// Codes returns what the message shows as code, ready to be copied.
func (m Message) Codes() []string {
	var codes []string
	for _, match := range codeElement.FindAllStringSubmatch(m.HTML, -1) {
		codes = append(codes, html.UnescapeString(match[1]))
	}
	return codes
}

// Say sends a text.
func (c *Chat) Say(ctx context.Context, text string) (id.EventID, error) {
	return c.Send(ctx, &event.MessageEventContent{MsgType: event.MsgText, Body: text})
}

// Notice sends a text as programs do, which must not be answered.
func (c *Chat) Notice(ctx context.Context, text string) (id.EventID, error) {
	return c.Send(ctx, &event.MessageEventContent{MsgType: event.MsgNotice, Body: text})
}

// Mention sends a text that mentions the bot, as clients write it.
func (c *Chat) Mention(ctx context.Context, text string) (id.EventID, error) {
	return c.Send(ctx, mention(c.bot, text))
}

// Edit replaces the text of a message.
func (c *Chat) Edit(ctx context.Context, message id.EventID, text string) (id.EventID, error) {
	content := &event.MessageEventContent{MsgType: event.MsgText, Body: text}
	content.SetEdit(message)
	return c.Send(ctx, content)
}

// Send sends any message.
func (c *Chat) Send(ctx context.Context, content *event.MessageEventContent) (id.EventID, error) {
	if len(content.Body) >= shortestMessage {
		c.person.secrets.add("what somebody wrote", content.Body)
	}
	sent, err := c.person.client.SendMessageEvent(ctx, c.RoomID, event.EventMessage, content)
	if err != nil {
		return "", fmt.Errorf("sending: %w", err)
	}
	return sent.EventID, nil
}

// React puts a mark under a message.
func (c *Chat) React(ctx context.Context, message id.EventID, key string) error {
	if _, err := c.person.client.SendReaction(ctx, c.RoomID, message, key); err != nil {
		return fmt.Errorf("reacting: %w", err)
	}
	return nil
}

// Hear returns the bot's next message, which it waits for.
func (c *Chat) Hear(ctx context.Context) (Message, error) {
	err := c.wait(ctx, "the bot's next message", func() bool { return len(c.unheard) > 0 })
	if err != nil {
		return Message{}, err
	}
	next := c.unheard[0]
	c.unheard = c.unheard[1:]
	return next, nil
}

// Ask says something and returns the bot's next message, which must be the
// answer to it.
func (c *Chat) Ask(ctx context.Context, text string) (Message, error) { return ask(ctx, c, text) }

// talk is a room with the bot, in whichever client.
type talk interface {
	Say(ctx context.Context, text string) (id.EventID, error)
	Hear(ctx context.Context) (Message, error)
}

func ask(ctx context.Context, c talk, text string) (Message, error) {
	asked, err := c.Say(ctx, text)
	if err != nil {
		return Message{}, err
	}
	answer, err := c.Hear(ctx)
	if err != nil {
		return Message{}, err
	}
	if answer.InReplyTo != asked {
		return answer, fmt.Errorf("the next message after %q (%s) does not answer it but %q: %q", text, asked, answer.InReplyTo, answer.Body)
	}
	return answer, nil
}

// Marks returns the bot's reactions under a message, and waits until there are n.
func (c *Chat) Marks(ctx context.Context, message id.EventID, n int) ([]Reaction, error) {
	var marks []Reaction
	err := c.wait(ctx, fmt.Sprintf("%d marks under %s", n, message), func() bool {
		marks = nil
		for _, mark := range c.marks {
			if mark.To == message {
				marks = append(marks, mark)
			}
		}
		return len(marks) >= n
	})
	return marks, err
}

// Until waits until a member of the room has the given membership, and returns
// the reason that was given for it.
func (c *Chat) Until(ctx context.Context, user id.UserID, membership event.Membership) (reason string, err error) {
	err = c.wait(ctx, fmt.Sprintf("%s: %s", user, membership), func() bool {
		return c.members[user] != nil && c.members[user].Membership == membership
	})
	if err != nil {
		return "", err
	}
	return c.members[user].Reason, nil
}

// Invite asks somebody into the room.
func (c *Chat) Invite(ctx context.Context, user id.UserID) error {
	if _, err := c.person.client.InviteUser(ctx, c.RoomID, &mautrix.ReqInviteUser{UserID: user}); err != nil {
		return fmt.Errorf("inviting %s: %w", user, err)
	}
	return nil
}

// Upgrade replaces the room by a new one of another room version, invites the bot
// there as clients do, and returns the new room.
func (c *Chat) Upgrade(ctx context.Context) (*Chat, error) {
	var upgraded struct {
		Room id.RoomID `json:"replacement_room"`
	}
	client := c.person.client
	url := client.BuildClientURL("v3", "rooms", c.RoomID, "upgrade")
	if _, err := client.MakeRequest(ctx, http.MethodPost, url, map[string]string{"new_version": "11"}, &upgraded); err != nil {
		return nil, fmt.Errorf("upgrading the room: %w", err)
	}
	chat := c.person.chat(upgraded.Room, c.bot)
	return chat, chat.Invite(ctx, c.bot)
}

// Kick throws somebody out of the room.
func (c *Chat) Kick(ctx context.Context, user id.UserID) error {
	if _, err := c.person.client.KickUser(ctx, c.RoomID, &mautrix.ReqKickUser{UserID: user}); err != nil {
		return fmt.Errorf("throwing %s out: %w", user, err)
	}
	return nil
}

// Ban throws somebody out of the room for good.
func (c *Chat) Ban(ctx context.Context, user id.UserID) error {
	if _, err := c.person.client.BanUser(ctx, c.RoomID, &mautrix.ReqBanUser{UserID: user}); err != nil {
		return fmt.Errorf("banning %s: %w", user, err)
	}
	return nil
}

// Leave leaves the room.
func (c *Chat) Leave(ctx context.Context) error {
	if _, err := c.person.client.LeaveRoom(ctx, c.RoomID); err != nil {
		return fmt.Errorf("leaving: %w", err)
	}
	return nil
}

// wait syncs until the condition holds.
func (c *Chat) wait(ctx context.Context, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for !holds() {
		if err := c.person.sync(ctx); err != nil {
			if c.person.secrecy != nil {
				err = errors.Join(err, c.person.secrecy.missing())
			}
			return fmt.Errorf("waiting for %s: %w", what, err)
		}
	}
	return nil
}

// see takes note of a parsed and, if possible, decrypted event in the room.
func (c *Chat) see(evt *event.Event) {
	switch content := evt.Content.Parsed.(type) {
	case *event.MemberEventContent:
		c.members[id.UserID(evt.GetStateKey())] = content
	case *event.MessageEventContent:
		if evt.Sender == c.bot {
			c.unheard = append(c.unheard, Message{
				ID:        evt.ID,
				Body:      content.Body,
				HTML:      content.FormattedBody,
				Type:      content.MsgType,
				InReplyTo: content.RelatesTo.GetReplyTo(),
				Mentions:  content.Mentions,
				Encrypted: evt.Mautrix.WasEncrypted,
				SentAt:    time.UnixMilli(evt.Timestamp),
			})
		}
	case *event.ReactionEventContent:
		if evt.Sender == c.bot {
			c.marks = append(c.marks, Reaction{ID: evt.ID, To: content.RelatesTo.EventID, Key: content.RelatesTo.Key})
		}
	}
}
