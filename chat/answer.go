package chat

import (
	"context"
	"encoding/json"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/store"
)

// The reactions that the bot sets under a question, for people to join. They
// are words, so that everybody can read them; typing them works as well.
const (
	keyConfirm = "confirm"
	keyCancel  = "cancel"
)

// relation says how an answer belongs to its event.
type relation struct {
	encrypted bool       // the event was encrypted: so must be the answer
	thread    id.EventID // it was said in this thread
	wordless  bool       // it was a reaction or an invitation: there is nothing to quote
}

// message is an answer's content and what the outbox must know of it.
type message struct {
	store.Outgoing
	content any
}

// answer makes the messages of a reply. Their transaction ids come from the
// event and their place, so that the same answer is the same message for ever.
func answer(in store.Incoming, reply commands.Reply, rel relation) []message {
	var out []message
	add := func(kind event.Type, content any) *store.Outgoing {
		part := len(out)
		out = append(out, message{content: content, Outgoing: store.Outgoing{
			RoomID: in.RoomID, Cause: in.EventID, Part: part, TxnID: txnID(in.EventID, part),
			Type: kind.Type, Encrypt: rel.encrypted,
		}})
		return &out[part].Outgoing
	}
	for _, text := range reply.Texts {
		add(event.EventMessage, content(text, in.EventID, rel))
	}
	if reply.Question != nil && len(out) > 0 {
		asking := &out[len(out)-1].Outgoing
		asking.Question = true
		target := asking.TxnID
		for _, key := range []string{keyConfirm, keyCancel} {
			mark := add(event.EventReaction, event.ReactionEventContent{RelatesTo: event.RelatesTo{Type: event.RelAnnotation, Key: key}})
			mark.Target = target
			mark.Encrypt = false // reactions travel in clear in every client; this one says nothing secret
		}
	}
	return out
}

func txnID(cause id.EventID, part int) string {
	return fmt.Sprintf("r%d-%s", part, cause)
}

// content is a text as the room gets it; cause is empty if nobody asked. Mentions is always there, so that no
// text of the bot can notify anybody by the words in it.
func content(text commands.Text, cause id.EventID, rel relation) *event.MessageEventContent {
	c := &event.MessageEventContent{MsgType: event.MsgNotice, Body: text.Plain, Mentions: &event.Mentions{}}
	if text.HTML != "" {
		c.Format, c.FormattedBody = event.FormatHTML, text.HTML
	}
	switch {
	case cause == "":
	case text.Forward || rel.wordless:
		// A mere reference, which clients don't show: a text to pass on goes
		// without a quote.
		c.RelatesTo = &event.RelatesTo{Type: event.RelReference, EventID: cause}
	case rel.thread != "":
		c.RelatesTo = (&event.RelatesTo{}).SetThread(rel.thread, cause)
	default:
		c.RelatesTo = (&event.RelatesTo{}).SetReplyTo(cause)
	}
	if text.Forward {
		c.MsgType = event.MsgText
	}
	return c
}

// queue puts messages into the outbox, in the transaction of ctx.
func (b *Bot) queue(ctx context.Context, messages []message) error {
	for _, m := range messages {
		body, err := json.Marshal(m.content)
		if err != nil {
			return fmt.Errorf("writing a message: %w", err)
		}
		m.Content = body
		if err := b.cfg.Store.Queue(ctx, m.Outgoing); err != nil {
			return err
		}
	}
	return nil
}
