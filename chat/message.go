package chat

import (
	"context"
	"slices"
	"time"

	"maunium.net/go/mautrix/event"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/store"
)

// onMessage handles a message that was readable from the start.
func (s *session) onMessage(ctx context.Context, in store.Incoming, evt *event.Event) error {
	room, err := s.room(ctx, in.RoomID)
	if err != nil {
		return s.ignoreIfGone(ctx, in, err)
	}
	return s.onText(ctx, in, evt, room, false)
}

// onText hands what a person wrote to the commands. wasEncrypted tells how this
// very message came; it decides how the answer goes.
func (s *session) onText(ctx context.Context, in store.Incoming, evt *event.Event, room room, wasEncrypted bool) error {
	content := evt.Content.AsMessage()
	rel := relation{encrypted: wasEncrypted, thread: content.RelatesTo.GetThreadParent()}
	switch {
	case content.MsgType == event.MsgVerificationRequest:
		return s.declineVerification(ctx, in, evt, rel)
	case content.MsgType != event.MsgText:
		return s.ignore(ctx, in, "only plain text is a command", nil)
	case content.RelatesTo.GetReplaceID() != "":
		return s.ignore(ctx, in, "an edit is no command", nil)
	case !slices.Contains(room.people, in.Sender):
		return s.ignore(ctx, in, "its sender has left the room", nil)
	}
	content.RemoveReplyFallback()
	if content.RelatesTo.GetReplyTo() != "" { // mautrix looks for it only beside HTML
		content.Body = event.TrimReplyFallbackText(content.Body)
	}
	m := s.message(in, evt, room)
	m.Encrypted = wasEncrypted // in an encrypted room too: a message in clear is no secret
	m.Text = namePeople(content.Body, content.FormattedBody)
	m.Mentioned = content.Mentions.Has(s.cfg.UserID)
	if s.cfg.DescribeCommands {
		m.Structured = content.MSC4391BotCommand
	}
	finish, err := s.cfg.Commands.Handle(ctx, m)
	if err != nil {
		return err
	}
	if err := s.settle(ctx, in, rel, finish); err != nil {
		return err
	}
	s.describe(ctx, in.RoomID) // the command may have changed what is to be said
	return nil
}

// onReaction hands a reaction to one of the bot's questions to the commands.
// Reactions travel unencrypted in encrypted rooms too.
func (s *session) onReaction(ctx context.Context, in store.Incoming, evt *event.Event) error {
	relates := evt.Content.AsReaction().RelatesTo
	question, err := s.store.QuestionBehind(ctx, relates.EventID)
	if err != nil {
		return err
	} else if question == "" {
		return s.ignore(ctx, in, "it is no reaction to a question of the bot", nil)
	}
	room, err := s.room(ctx, in.RoomID)
	if err != nil {
		return s.ignoreIfGone(ctx, in, err)
	}
	if !slices.Contains(room.people, in.Sender) {
		return s.ignore(ctx, in, "its sender has left the room", nil)
	}
	m := s.message(in, evt, room)
	m.Reaction = &commands.Reaction{Question: question, Key: relates.Key}
	finish, err := s.cfg.Commands.Handle(ctx, m)
	if err != nil {
		return err
	}
	return s.settle(ctx, in, relation{encrypted: room.Encrypted, wordless: true}, finish)
}

// message fills in what texts and reactions have in common.
func (s *session) message(in store.Incoming, evt *event.Event, room room) commands.Message {
	return commands.Message{
		EventID:   in.EventID,
		RoomID:    in.RoomID,
		Sender:    in.Sender,
		SentAt:    time.UnixMilli(evt.Timestamp),
		Waited:    in.Age + time.Since(in.Received),
		Direct:    room.direct(s.cfg.UserID, in.Sender),
		Encrypted: room.Encrypted,
	}
}
