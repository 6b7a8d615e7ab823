//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"time"

	"matrix-registration-bot/e2e/lab"
)

// push sends the bot a transaction as a homeserver does; it must be taken.
// It may be called by several goroutines.
func (s *scene) push(transaction, body string) {
	s.Helper()
	status, answer, err := s.Bot.Push(s.Context(), transaction, body)
	if err != nil || status != http.StatusOK || answer != "{}" {
		s.Errorf("transaction %s: %d %s (%v)", transaction, status, answer, err)
	}
}

// pushed is a message of a person in a room, as it comes in a transaction.
func (s *scene) pushed(eventID string, c *chat, content string) string {
	room := c.room.(*lab.Chat)
	return fmt.Sprintf(`{"event_id": %q, "room_id": %q, "sender": %q, "type": "m.room.message", "origin_server_ts": %d, "content": %s}`,
		eventID, room.RoomID, room.Person().UserID, time.Now().UnixMilli(), content)
}

// pushedText is pushed for a text.
func (s *scene) pushedText(eventID string, c *chat, body string) string {
	return s.pushed(eventID, c, fmt.Sprintf(`{"msgtype": "m.text", "body": %q}`, body))
}
