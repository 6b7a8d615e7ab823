package chat

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/event/cmdschema"
	"maunium.net/go/mautrix/id"
)

// descriptions is what a room's state says of the bot's commands (MSC4391): a sum
// of each description, by state key. It is only changed with the room's turn in
// session.describing.
type descriptions map[string][sha256.Size]byte

// describedIn takes the bot's descriptions from a room's state.
func describedIn(state map[string]*event.Event, bot id.UserID) descriptions {
	there := make(descriptions)
	for key, evt := range state {
		content, ok := evt.Content.Parsed.(*cmdschema.EventContent)
		if ok && evt.Sender == bot && content.Command != "" { // without a command it was taken back
			there[key] = sumOf(content)
		}
	}
	return there
}

// sumOf changes with anything in a description.
func sumOf(content *cmdschema.EventContent) [sha256.Size]byte {
	text, err := json.Marshal(content)
	if err != nil {
		panic(err) // it came from JSON or holds only text
	}
	return sha256.Sum256(text)
}

// describe tells the clients in a direct chat which commands the person may use;
// elsewhere it takes back what it told when the room was one. The bot can be used
// without, so failures are only logged, and made good the next time.
func (s *session) describe(ctx context.Context, roomID id.RoomID) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	switch err := s.updateDescriptions(ctx, roomID); {
	case errors.Is(err, mautrix.MForbidden), errors.Is(err, errGone):
		s.log.Debug().Err(err).Stringer("room_id", roomID).Msg("Commands can't be described here")
	case err != nil:
		s.log.Warn().Err(err).Stringer("room_id", roomID).Msg("Describing the commands failed")
	}
}

// updateDescriptions changes what differs. Where the homeserver refuses that, the
// bot does not ask again until something else is to be said.
func (s *session) updateDescriptions(ctx context.Context, roomID id.RoomID) error {
	giveBack, err := s.describing.take(ctx, roomID)
	if err != nil {
		return fmt.Errorf("waiting to describe the commands: %w", err)
	}
	defer giveBack()
	if there, _ := s.described.Get(roomID); !s.cfg.DescribeCommands && len(there) == 0 {
		return nil
	}
	room, err := s.room(ctx, roomID)
	if err != nil {
		return err
	}
	wanted, err := s.descriptionsFor(ctx, room.partner(s.cfg.UserID))
	if err != nil {
		return err
	}
	var refusal error
	put := func(key string, content any) error {
		if refusal != nil {
			return nil
		}
		_, err := s.client.SendStateEvent(ctx, roomID, event.StateMSC4391BotCommand, key, content)
		if err != nil && !isTemporary(err) {
			refusal, err = err, nil
		}
		return err
	}
	there, _ := s.described.GetOrSet(roomID, descriptions{})
	for key, content := range wanted {
		if sum := sumOf(content); there[key] != sum {
			if err := put(key, content); err != nil {
				return err
			}
			there[key] = sum
		}
	}
	for key := range there {
		if _, still := wanted[key]; !still {
			if err := put(key, struct{}{}); err != nil {
				return err
			}
			delete(there, key)
		}
	}
	return refusal
}

// descriptionsFor is what there is to be said to a person, by state key.
func (s *session) descriptionsFor(ctx context.Context, person id.UserID) (map[string]*cmdschema.EventContent, error) {
	if !s.cfg.DescribeCommands || person == "" {
		return nil, nil
	}
	contents, err := s.cfg.Commands.Descriptions(ctx, person)
	if err != nil {
		return nil, fmt.Errorf("describing the commands: %w", err)
	}
	wanted := make(map[string]*cmdschema.EventContent, len(contents))
	for _, content := range contents {
		wanted[content.StateKey(s.cfg.UserID)] = content
	}
	return wanted, nil
}
