package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/olm"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/commands"
	"matrix-registration-bot/store"
)

// A key that has not come after askAfter is asked for, and once more after
// askAgainAfter: the first answer can't be read where the bot has lost the one-time
// key for it, which makes the bot begin a new Olm session with that device. After
// giveUpAfter nobody waits any longer.
const (
	askAfter      = 3 * time.Second
	askAgainAfter = 8 * time.Second
	giveUpAfter   = 25 * time.Second
)

// onEncrypted decrypts a message and goes on as with any other.
func (s *session) onEncrypted(ctx context.Context, in store.Incoming, evt *event.Event) error {
	if s.crypto == nil {
		return s.ignore(ctx, in, "it is encrypted and encryption is off", nil)
	}
	if evt.Content.AsEncrypted().Algorithm == "" {
		return s.ignore(ctx, in, "it was redacted", nil)
	}
	room, err := s.room(ctx, in.RoomID)
	if err != nil {
		return s.ignoreIfGone(ctx, in, err)
	}
	if !room.Encrypted {
		// An encrypted message is proof enough, whatever the state says.
		if err := s.store.MarkEncrypted(ctx, in.RoomID); err != nil {
			return err
		}
		room.Encrypted = true
	}
	decrypted, err := s.crypto.decrypt(ctx, evt)
	switch {
	case keyMissing(err):
		return s.awaitKey(ctx, in, evt.Content.AsEncrypted(), room)
	case isTemporary(err):
		return err
	case err != nil:
		s.log.Warn().Err(err).Stringer("event_id", in.EventID).Stringer("sender", in.Sender).Msg("A message can't be decrypted")
		s.cfg.Observer.Unreadable(broken)
		return s.unreadable(ctx, in, room)
	}
	if err := trusted(decrypted, s.cfg.Encryption.CrossSigned); err != nil {
		s.log.Warn().Err(err).Stringer("event_id", in.EventID).Stringer("sender", in.Sender).Msg("Refusing an encrypted message")
		s.cfg.Observer.Unreadable(notTrusted)
		return s.sayInDirect(ctx, in, room, "room.untrusted")
	}
	if err := s.noteIdentity(ctx, in); err != nil {
		return err
	}
	switch decrypted.Type {
	case event.EventMessage:
		return s.onText(ctx, in, decrypted, room, true)
	case event.EventReaction:
		return s.onReaction(ctx, in, decrypted)
	}
	return s.ignore(ctx, in, "its type is not for the bot", nil)
}

// decrypt decrypts a message. If it seems to come from an unknown device, the
// sender's devices are asked for once more: it may have been new, or the
// homeserver away, when mautrix asked.
func (e *encryption) decrypt(ctx context.Context, evt *event.Event) (decrypted *event.Event, err error) {
	err = e.take(ctx, func(ctx context.Context) error {
		decrypted, err = e.mach.DecryptMegolmEvent(ctx, evt)
		if err != nil || decrypted.Mautrix.TrustState != id.TrustStateUnknownDevice {
			return err
		}
		if _, err = e.mach.FetchKeys(ctx, []id.UserID{evt.Sender}, true); err != nil {
			return fmt.Errorf("asking for the devices of %s: %w", evt.Sender, err)
		}
		decrypted, err = e.mach.DecryptMegolmEvent(ctx, evt)
		return err
	})
	return decrypted, err
}

var errNotTheirs = errors.New("no device of the sender stands behind this message")

// keyMissing tells whether the key may still come.
func keyMissing(err error) bool {
	return errors.Is(err, crypto.ErrNoSessionFound) || errors.Is(err, crypto.ErrGroupSessionWithheld) ||
		errors.Is(err, olm.ErrUnknownMessageIndex)
}

// trusted checks that a device of the sender encrypted the message. What is
// refused is named: mautrix's levels are no ladder (a device without
// cross-signing, which is everybody's right, stands below a forwarded key).
func trusted(evt *event.Event, crossSigned bool) error {
	if evt.Mautrix.ForwardedKeys {
		return fmt.Errorf("%w: its key was forwarded", errNotTheirs)
	}
	switch level := evt.Mautrix.TrustState; level {
	case id.TrustStateBlacklisted, id.TrustStateDeviceKeyMismatch, id.TrustStateUnknownDevice,
		id.TrustStateForwarded, id.TrustStateBackup, id.TrustStateInvalid:
		return fmt.Errorf("%w: %s", errNotTheirs, level)
	case id.TrustStateUnset:
		if crossSigned {
			return fmt.Errorf("%w that its owner has signed", errNotTheirs)
		}
	}
	return nil
}

// awaitKey lets a message wait for its key: a while for the key to come by
// itself, then, after asking for it, a while longer, twice. All messages of a session
// share one wait, so that nobody can make the bot wait, or speak, for each.
func (s *session) awaitKey(ctx context.Context, in store.Incoming, content *event.EncryptedEventContent, room room) error {
	wait, err := s.store.KeyWait(ctx, in.RoomID, content.SessionID)
	if err != nil {
		return err
	}
	waited := time.Since(wait.Since)
	log := s.log.Info().Stringer("event_id", in.EventID).Stringer("session_id", content.SessionID)
	switch {
	case wait.GivenUp:
		return s.ignore(ctx, in, "its key never came", nil)
	case waited >= giveUpAfter:
		log.Msg("The key of a message did not come; giving up")
		s.cfg.Observer.Unreadable(noKey)
		err := s.store.Transact(ctx, func(ctx context.Context) error {
			if err := s.store.KeyGivenUp(ctx, in.RoomID, content.SessionID); err != nil {
				return err
			}
			return s.unreadable(ctx, in, room)
		})
		s.outbox.wake(in.RoomID) // again: what unreadable queued is only there now
		return err
	case waited < askAfter:
		err = s.store.AwaitKey(ctx, in.EventID, in.RoomID, content.SessionID, askAfter-waited)
	default:
		requests, next := 1, askAgainAfter
		if waited >= askAgainAfter {
			requests, next = 2, giveUpAfter
		}
		if wait.Requests < requests {
			log.Msg("The key of a message is missing; asking for it")
			if err := s.requestKey(ctx, in, content); err != nil {
				return err
			}
		}
		err = s.store.AwaitKey(ctx, in.EventID, in.RoomID, content.SessionID, next-waited)
	}
	if err != nil {
		return err
	}
	return errPostponed
}

func (s *session) requestKey(ctx context.Context, in store.Incoming, content *event.EncryptedEventContent) error {
	err := s.crypto.take(ctx, func(ctx context.Context) error {
		//lint:ignore SA1019 the sender's key and device are only hints here: without them every device is asked
		s.crypto.helper.RequestSession(ctx, in.RoomID, content.SenderKey, content.SessionID, in.Sender, content.DeviceID)
		return nil
	})
	if err != nil {
		return err
	}
	return s.store.KeyRequested(ctx, in.RoomID, content.SessionID)
}

// unreadable ends a message that can't be decrypted.
func (s *session) unreadable(ctx context.Context, in store.Incoming, room room) error {
	return s.sayInDirect(ctx, in, room, "unreadable")
}

// sayInDirect ends a message that is no command with a sentence to somebody
// with a role in a direct chat; elsewhere silently, so that nobody can make the
// bot talk.
func (s *session) sayInDirect(ctx context.Context, in store.Incoming, room room, key string) error {
	decision, err := s.cfg.Commands.Decide(ctx, in.Sender)
	if err != nil {
		return err
	}
	if decision.Role == access.None || !room.direct(s.cfg.UserID, in.Sender) {
		return s.ignore(ctx, in, "nobody needs to know", nil)
	}
	return s.settleWith(ctx, in, relation{encrypted: true}, commands.Reply{Texts: []commands.Text{{Text: s.bot.text(key, nil)}}})
}
