package chat

import (
	"context"
	"crypto/rand"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/news"
	"matrix-registration-bot/store"
)

// Rooms implements news.Chat. Rooms that can't be read are left out, since a
// broken one must not hold up the others.
func (b *Bot) Rooms(ctx context.Context) ([]news.Room, error) {
	s := b.session()
	if s == nil {
		return nil, news.ErrNotYet
	}
	joined, err := quickly(ctx, s.client.JoinedRooms)
	if err != nil {
		return nil, fmt.Errorf("listing the bot's rooms: %w", err)
	}
	var rooms []news.Room
	for _, roomID := range joined.JoinedRooms {
		room, err := s.room(ctx, roomID)
		if err != nil {
			s.log.Debug().Err(err).Stringer("room_id", roomID).Msg("Leaving a room out of the news")
			continue
		}
		rooms = append(rooms, news.Room{
			ID: roomID, People: room.people, Encrypted: room.Encrypted, Mute: room.Encrypted && s.crypto == nil,
		})
	}
	return rooms, nil
}

// Tell implements news.Chat. News is m.text, because clients keep quiet about
// notices.
func (b *Bot) Tell(ctx context.Context, room id.RoomID, person id.UserID, text locale.Text) error {
	c := content(commands.Text{Text: text, Forward: true}, "", relation{})
	if person != "" {
		c.Mentions.UserIDs = []id.UserID{person}
	}
	return b.queue(ctx, []message{{content: c, Outgoing: store.Outgoing{
		RoomID: room, TxnID: "news-" + rand.Text(), Type: event.EventMessage.Type,
	}}})
}

// Deliver implements news.Chat.
func (b *Bot) Deliver(room id.RoomID) {
	if s := b.session(); s != nil {
		s.outbox.wake(room)
	}
}
