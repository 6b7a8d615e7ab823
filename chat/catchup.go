package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tidwall/gjson"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/appservice"
)

// While Synapse recovers after the bot was away, a transaction can get stuck in
// its database until the next outage: it looks whether the bot is up before it
// stores the transaction, and both can change in between. So some time after
// the way back works again, the bot reads what was said last in its rooms, and
// takes in what it was not told.

const (
	catchUpAfter  = 10 * time.Second // by then what is on its way has come
	catchUpEvents = 50               // in each room
	catchUpAge    = time.Hour        // nothing older
)

// catchUpLoop catches up after each ping that got through.
func (s *session) catchUpLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.pinged:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(catchUpAfter):
		}
		if err := s.catchUp(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn().Err(err).Msg("Looking for missed messages failed")
		}
	}
}

func (s *session) catchUp(ctx context.Context) error {
	joined, err := quickly(ctx, s.client.JoinedRooms)
	if err != nil {
		return fmt.Errorf("listing the bot's rooms: %w", err)
	}
	for _, room := range joined.JoinedRooms {
		missed, err := s.missedIn(ctx, room)
		if err != nil && ctx.Err() == nil {
			s.log.Warn().Err(err).Stringer("room_id", room).Msg("Looking for missed messages failed in a room")
		}
		if err != nil || len(missed) == 0 {
			continue
		}
		s.log.Info().Stringer("room_id", room).Int("events", len(missed)).Msg("Taking in what the homeserver did not tell")
		if err := s.store.Accept(ctx, "catch-up", missed, nil); err != nil {
			return err
		}
		s.inbox.wake(room)
	}
	return nil
}

// missedIn returns the events of a room that the inbox lacks, oldest first. With
// a database that is new, or older than the room's last events, it must not run
// commands a second time: only events behind one that the inbox has count, and
// none that the bot has answered.
func (s *session) missedIn(ctx context.Context, room id.RoomID) ([]appservice.Event, error) {
	var page struct {
		Chunk []json.RawMessage `json:"chunk"` // newest first
	}
	_, err := quickly(ctx, func(ctx context.Context) ([]byte, error) {
		return s.client.MakeFullRequest(ctx, mautrix.FullRequest{
			Method: http.MethodGet, ResponseJSON: &page,
			URL: s.client.BuildURLWithQuery(mautrix.ClientURLPath{"v3", "rooms", room, "messages"},
				map[string]string{"dir": "b", "limit": fmt.Sprint(catchUpEvents)}),
		})
	})
	if isGone(err) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading the last messages of %s: %w", room, err)
	}
	var missed []appservice.Event
	certain := 0 // so many of them have a known one before them
	answered := make(map[string]bool)
	for _, raw := range page.Chunk {
		evt, ok := appservice.ParseEvent(raw)
		if !ok || time.Since(time.UnixMilli(evt.SentAt)) > catchUpAge {
			break
		}
		if evt.Sender == s.cfg.UserID.String() {
			if evt.Type == event.StateMember.Type {
				break // what was said before the bot came is not for it
			}
			relates := gjson.GetBytes(raw, `content.m\.relates_to`)
			answered[relates.Get(`m\.in_reply_to.event_id`).String()] = true
			answered[relates.Get("event_id").String()] = true
			continue
		}
		if !s.bot.Wants(evt) {
			continue
		}
		known, err := s.store.Known(ctx, id.EventID(evt.ID))
		if err != nil {
			return nil, err
		}
		if known {
			certain = len(missed)
		} else if !answered[evt.ID] {
			missed = append(missed, evt)
		}
	}
	missed = missed[:certain]
	slices.Reverse(missed)
	return missed, nil
}
