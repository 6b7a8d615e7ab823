package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/store"
)

const (
	// maxTries is how often an event's handling may fail before it is set aside.
	maxTries = 5
	// handleTime is how long one try may take.
	handleTime = 2 * time.Minute
	// staleTime is how long an invitation or the like may keep failing for
	// reasons that could pass: a room whose servers are dead.
	staleTime = 24 * time.Hour
)

// errPostponed means that an event has been given a later time by its handler.
var errPostponed = errors.New("postponed")

// handleNext handles one event of a room.
func (s *session) handleNext(ctx context.Context, room id.RoomID) (wait time.Duration, more bool) {
	in, wait, err := s.store.NextEvent(ctx, room)
	if err != nil {
		s.log.Error().Err(err).Msg("Reading the inbox failed")
		return pause(4, 4*time.Second, nil), false
	} else if in.EventID == "" {
		return wait, false
	}
	err = s.handleSafely(ctx, in)
	if err == nil || errors.Is(err, errPostponed) {
		return 0, true
	} else if ctx.Err() != nil {
		return 0, false // stopping; it is handled after the next start
	} else if s.deviceIsGone(ctx, err) {
		s.fail(fmt.Errorf("%w: the bot's device was removed: %w", errStartOver, err))
		return time.Second, false
	}
	if err = s.tryAgainLater(ctx, in, err); err != nil {
		s.log.Error().Err(err).Stringer("event_id", in.EventID).Msg("Noting a failure failed")
		return pause(4, 4*time.Second, nil), false
	}
	return 0, true
}

// handleSafely is where the panic of a handler ends, and one that takes too long.
func (s *session) handleSafely(ctx context.Context, in store.Incoming) error {
	ctx, cancel := context.WithTimeout(ctx, handleTime)
	defer cancel()
	return safely(func() error { return s.handle(ctx, in) })
}

// tryAgainLater decides what becomes of an event whose handling failed. What
// only waiting can mend is tried for ever; anything else a few times, since one
// event must not hold up its room.
func (s *session) tryAgainLater(ctx context.Context, in store.Incoming, cause error) error {
	log := s.log.Warn().Err(cause).Stringer("event_id", in.EventID).Stringer("room_id", in.RoomID).Int("tries", in.Tries)
	s.cfg.Observer.HandlingFailed()
	waited := time.Since(in.Received)
	switch {
	case errors.Is(cause, commands.ErrUnsettled), isTemporary(cause) && (in.StateKey == nil || waited < staleTime):
		log.Msg("Handling an event failed for now")
		again := max(pause(3, 10*time.Second, cause), min(waited/8, time.Minute))
		return s.store.Postpone(ctx, in.EventID, again)
	case in.Tries+1 < maxTries:
		log.Msg("Handling an event failed")
		return s.store.Failed(ctx, in.EventID, pause(in.Tries, 10*time.Second, cause))
	}
	log.Msg("Giving an event up: it is set aside in the inbox table")
	err := s.store.Transact(ctx, func(ctx context.Context) error {
		if in.Type != event.EventMessage.Type && in.Type != event.EventEncrypted.Type {
			return s.store.SetAside(ctx, in.EventID)
		}
		sorry := commands.Reply{Texts: []commands.Text{{Text: s.bot.text("setaside", nil)}}}
		if err := s.bot.queue(ctx, answer(in, sorry, relation{encrypted: in.Type == event.EventEncrypted.Type})); err != nil {
			return err
		}
		return s.store.SetAside(ctx, in.EventID)
	})
	if err != nil {
		return err
	}
	s.cfg.Observer.SetAside()
	s.outbox.wake(in.RoomID)
	return nil
}

// handle handles one event by its type.
func (s *session) handle(ctx context.Context, in store.Incoming) error {
	evt, err := parse(in)
	if err != nil {
		return s.ignore(ctx, in, "its content can't be parsed", err)
	}
	switch evt.Type {
	case event.StateMember:
		return s.onMember(ctx, in, evt)
	case event.StateEncryption, event.StateHistoryVisibility:
		return s.onRoomSetting(ctx, in, evt)
	case event.StateTombstone:
		return s.onTombstone(ctx, in, evt)
	case event.EventMessage:
		return s.onMessage(ctx, in, evt)
	case event.EventReaction:
		return s.onReaction(ctx, in, evt)
	case event.EventEncrypted:
		return s.onEncrypted(ctx, in, evt)
	}
	return s.ignore(ctx, in, "its type is not for the bot", nil)
}

// parse makes a mautrix event of what the inbox keeps. Unmarshalling the whole
// would not do: encoding/json takes "Sender" for "sender", and the homeserver
// has only checked the latter.
func parse(in store.Incoming) (*event.Event, error) {
	evt := &event.Event{
		ID: in.EventID, RoomID: in.RoomID, Sender: in.Sender, StateKey: in.StateKey, Timestamp: in.SentAt.UnixMilli(),
		Type: event.Type{Type: in.Type, Class: event.MessageEventType},
	}
	if in.StateKey != nil {
		evt.Type.Class = event.StateEventType
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(in.Raw, &fields); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(fields["content"], &evt.Content); err != nil {
		return nil, err
	}
	_ = json.Unmarshal(fields["unsigned"], &evt.Unsigned) // hints only
	return evt, evt.Content.ParseRaw(evt.Type)
}

// ignore marks an event that asks nothing of the bot as handled.
func (s *session) ignore(ctx context.Context, in store.Incoming, why string, cause error) error {
	s.log.Debug().Err(cause).Stringer("event_id", in.EventID).Str("type", in.Type).Msg("Ignoring an event: " + why)
	return s.store.Handled(ctx, in.EventID)
}

// settle commits that an event is handled together with all it led to.
func (s *session) settle(ctx context.Context, in store.Incoming, rel relation, finish commands.Finish) error {
	var reply commands.Reply
	err := s.store.Transact(ctx, func(ctx context.Context) (err error) {
		if reply, err = finish(ctx); err != nil {
			return err
		}
		if err := s.bot.queue(ctx, answer(in, reply, rel)); err != nil {
			return err
		}
		return s.store.Handled(ctx, in.EventID)
	})
	if err != nil {
		return fmt.Errorf("committing an answer: %w", err)
	}
	if reply.Committed != nil {
		reply.Committed()
	}
	s.outbox.wake(in.RoomID)
	return nil
}

// settleWith is settle for an answer that needs nothing else.
func (s *session) settleWith(ctx context.Context, in store.Incoming, rel relation, reply commands.Reply) error {
	return s.settle(ctx, in, rel, func(context.Context) (commands.Reply, error) { return reply, nil })
}
