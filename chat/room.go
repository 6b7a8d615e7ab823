package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/store"
)

// room is a room whose state is known completely.
type room struct {
	store.Room
	people []id.UserID // joined and invited
}

// direct tells whether the room holds exactly the bot and this person. Names,
// is_direct and account data don't count: anybody can set them.
func (r room) direct(bot, person id.UserID) bool {
	return len(r.people) == 2 &&
		(r.people[0] == bot && r.people[1] == person || r.people[1] == bot && r.people[0] == person)
}

// partner is the only person in the room besides the bot, "" unless it is direct.
func (r room) partner(bot id.UserID) id.UserID {
	for _, person := range r.people {
		if r.direct(bot, person) && person != bot {
			return person
		}
	}
	return ""
}

// room returns a room with its state, reading it from the homeserver first
// whenever what the database has may be incomplete. The error is errGone if the
// bot is not in it.
func (s *session) room(ctx context.Context, roomID id.RoomID) (room, error) {
	r, err := s.store.Room(ctx, roomID)
	if err != nil {
		return room{}, err
	}
	if !r.StateRead {
		if err := s.readState(ctx, roomID); err != nil {
			return room{}, err
		}
		if r, err = s.store.Room(ctx, roomID); err != nil {
			return room{}, err
		}
	}
	people, err := s.people(ctx, roomID)
	return room{r, people}, err
}

// people are those whose membership counts for what a room is: joined and
// invited.
func (s *session) people(ctx context.Context, room id.RoomID) ([]id.UserID, error) {
	people, err := s.state.GetRoomJoinedOrInvitedMembers(ctx, room)
	if err != nil {
		return nil, fmt.Errorf("reading the members of %s: %w", room, err)
	}
	return people, nil
}

// readState reads a room's full state: encryption, members, history
// visibility. State from before the bot joined is never pushed.
func (s *session) readState(ctx context.Context, roomID id.RoomID) error {
	// A slow answer must not overwrite what an event has told since.
	giveBack, err := s.rooms.take(ctx, roomID)
	if err != nil {
		return fmt.Errorf("waiting to read the state of %s: %w", roomID, err)
	}
	defer giveBack()
	if r, err := s.store.Room(ctx, roomID); err != nil || r.StateRead {
		return err // somebody else has read it while this waited
	}
	state, err := quickly(ctx, func(ctx context.Context) (mautrix.RoomStateMap, error) {
		return s.client.State(ctx, roomID)
	})
	if isGone(err) { // the event that tells so may never have come
		return errors.Join(errGone, err, s.store.Left(ctx, roomID))
	} else if err != nil {
		return fmt.Errorf("reading the state of %s: %w", roomID, err)
	}
	if err := s.storedMembers(ctx, roomID, state[event.StateMember]); err != nil {
		return fmt.Errorf("storing the state of %s: %w", roomID, err)
	}
	s.described.Set(roomID, describedIn(state[event.StateMSC4391BotCommand], s.cfg.UserID))
	_, encrypted := state[event.StateEncryption][""]
	return s.store.StateRead(ctx, roomID, encrypted)
}

// storedMembers checks that the members have reached the database: the client only
// logs it when they have not.
func (s *session) storedMembers(ctx context.Context, roomID id.RoomID, members map[string]*event.Event) error {
	people, err := s.people(ctx, roomID)
	if err != nil {
		return err
	}
	for user, evt := range members {
		membership := evt.Content.AsMember().Membership
		there := membership == event.MembershipJoin || membership == event.MembershipInvite
		if there != slices.Contains(people, id.UserID(user)) {
			return fmt.Errorf("%w: %s: %s", errNotStored, user, membership)
		}
	}
	return nil
}

// ignoreIfGone lets an event of a room that the bot has left end quietly.
func (s *session) ignoreIfGone(ctx context.Context, in store.Incoming, err error) error {
	if errors.Is(err, errGone) {
		return s.ignore(ctx, in, "the bot is not in its room", err)
	}
	return err
}
