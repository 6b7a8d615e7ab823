package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/store"
)

const (
	// rememberTime is how long the homeserver surely knows the transaction id
	// of an attempt (Synapse forgets it after 24 h). After that the room itself
	// is asked whether the message is there.
	rememberTime = 23 * time.Hour
	// maxPause is the longest wait between two attempts to send.
	maxPause = 30 * time.Second
)

// errUndeliverable means that a message can never be sent as it is.
var errUndeliverable = errors.New("undeliverable")

// deliverNext sends the oldest message of a room. A message that fails for now
// stays first: order within the room is kept.
func (s *session) deliverNext(ctx context.Context, roomID id.RoomID) (wait time.Duration, more bool) {
	m, wait, err := s.store.NextMessage(ctx, roomID)
	if err != nil {
		s.log.Error().Err(err).Msg("Reading the outbox failed")
		return pause(4, 4*time.Second, nil), false
	} else if m.TxnID == "" || wait > 0 {
		return wait, false
	}
	err = safely(func() error { return s.deliver(ctx, m) })
	log := s.log.Warn().Err(err).Stringer("room_id", roomID).Str("txn_id", m.TxnID).Int("tries", m.Tries)
	switch {
	case err == nil:
		if m.Part == 0 && !m.Asked.IsZero() {
			s.cfg.Observer.Answered(time.Since(m.Asked))
		}
		return 0, true
	case ctx.Err() != nil:
		return 0, false
	case s.deviceIsGone(ctx, err):
		s.fail(fmt.Errorf("%w: the bot's device was removed: %w", errStartOver, err))
		return time.Second, false
	case errors.Is(err, errGone), errors.Is(err, errUndeliverable), errors.Is(err, errPanic) && m.Tries+1 >= maxTries:
		log.Msg("Giving a message up")
		s.cfg.Observer.Dropped()
		err = s.store.Drop(ctx, m.TxnID)
	case errors.Is(err, errDeviceNotReady):
		s.log.Debug().Err(err).Stringer("room_id", roomID).Msg("A message waits for a device")
		err = s.store.Retry(ctx, m.TxnID, readyPause)
	default:
		log.Msg("Sending a message failed for now")
		s.cfg.Observer.SendingFailed()
		if s.crypto != nil && m.Tries == maxTries { // perhaps the room's outgoing session is to blame
			if err := s.crypto.forgetSession(ctx, roomID); err != nil {
				s.log.Warn().Err(err).Msg("Forgetting an outgoing session failed")
			}
		}
		err = s.store.Retry(ctx, m.TxnID, pause(m.Tries, maxPause, err))
	}
	if err != nil {
		s.log.Error().Err(err).Msg("Noting a failed delivery failed")
		return pause(4, 4*time.Second, nil), false
	}
	return 0, true
}

// deliver makes one attempt, and notes its success.
func (s *session) deliver(ctx context.Context, m store.Outgoing) error {
	room, err := s.room(ctx, m.RoomID)
	if err != nil {
		return err
	}
	var sent id.EventID
	if s.forgotten(m) {
		if sent, err = s.findSent(ctx, m); err != nil {
			return err
		}
	}
	if sent == "" {
		if err = s.store.Attempt(ctx, m.TxnID, s.client.DeviceID); err != nil {
			return err
		}
		if sent, err = s.send(ctx, m, room); err != nil {
			return err
		}
	}
	var sentAt time.Time
	if m.Question {
		if sentAt, err = s.timeOf(ctx, m.RoomID, sent); err != nil {
			return err
		}
	}
	return s.store.Delivered(ctx, m.TxnID, sent, sentAt)
}

// send puts a message into its room. The homeserver recognises a repeat by
// device and transaction id, whatever the encryption made of the content.
func (s *session) send(ctx context.Context, m store.Outgoing, room room) (id.EventID, error) {
	content, err := s.contentOf(ctx, m)
	if err != nil {
		return "", err
	}
	kind := event.Type{Type: m.Type, Class: event.MessageEventType}
	if (m.Encrypt || room.Encrypted) && kind != event.EventReaction {
		if s.crypto == nil {
			return "", fmt.Errorf("%w: the room is encrypted and encryption is off", errUndeliverable)
		}
		if content, err = s.crypto.encrypt(ctx, m.RoomID, kind, content); err != nil {
			return "", err
		}
		kind = event.EventEncrypted
	}
	resp, err := quickly(ctx, func(ctx context.Context) (*mautrix.RespSendEvent, error) {
		return s.client.SendMessageEvent(ctx, m.RoomID, kind, content, mautrix.ReqSendEvent{TransactionID: m.TxnID, DontEncrypt: true})
	})
	switch {
	case err == nil:
		return resp.EventID, nil
	case isGone(err):
		return "", errors.Join(errGone, err)
	case !isTemporary(err):
		return "", errors.Join(errUndeliverable, err)
	}
	return "", fmt.Errorf("sending a message: %w", err)
}

// contentOf returns a message's content; a reaction is pointed at the event
// that its question has become.
func (s *session) contentOf(ctx context.Context, m store.Outgoing) (any, error) {
	if m.Target == "" {
		return json.RawMessage(m.Content), nil
	}
	target, err := s.store.SentEvent(ctx, m.Target)
	if err != nil {
		return nil, err
	} else if target == "" {
		return nil, fmt.Errorf("%w: its question was not delivered", errUndeliverable)
	}
	var reaction event.ReactionEventContent
	if err := json.Unmarshal(m.Content, &reaction); err != nil {
		return nil, errors.Join(errUndeliverable, err)
	}
	reaction.RelatesTo.EventID = target
	return reaction, nil
}

// forgotten tells whether the homeserver may have forgotten an earlier attempt:
// it knows them by their device for a day, or by the access token of a log-in
// (Dendrite, which forgets them when it restarts, too). Of an attempt by a clock
// that was ahead nobody knows how long ago it was.
func (s *session) forgotten(m store.Outgoing) bool {
	return !m.FirstTry.IsZero() && (s.loggedIn || m.Device != s.client.DeviceID || time.Since(m.FirstTry).Abs() > rememberTime)
}

// timeOf returns an event's time stamp, by the homeserver's clock.
func (s *session) timeOf(ctx context.Context, roomID id.RoomID, eventID id.EventID) (time.Time, error) {
	evt, err := quickly(ctx, func(ctx context.Context) (*event.Event, error) { return s.client.GetEvent(ctx, roomID, eventID) })
	if isTemporary(err) {
		return time.Time{}, fmt.Errorf("reading back a question: %w", err)
	} else if err != nil {
		return time.Now(), nil // thrown out in this moment: nobody will answer
	}
	return time.UnixMilli(evt.Timestamp), nil
}

// findSent looks in the room for the bot's own event that is this message. To
// the device that sent it the homeserver shows its transaction id for ever. The
// parts of an answer are sent in order and all name their cause, so the part is
// there if there are more of them than its number; a reaction stands only once
// under its question. News names no cause and can't be found by another device, nor
// after another log-in on Dendrite, which shows the transaction id only to that:
// then it may be sent twice.
func (s *session) findSent(ctx context.Context, m store.Outgoing) (id.EventID, error) {
	const pages, pageSize = 20, 100
	content, err := s.contentOf(ctx, m)
	if err != nil {
		return "", err
	}
	reaction, isReaction := content.(event.ReactionEventContent)
	var found []id.EventID // newest first
	from := ""
	for range pages {
		page, err := quickly(ctx, func(ctx context.Context) (*mautrix.RespMessages, error) {
			return s.client.Messages(ctx, m.RoomID, from, "", mautrix.DirectionBackward, nil, pageSize)
		})
		if isGone(err) {
			return "", errors.Join(errGone, err)
		} else if err != nil {
			return "", fmt.Errorf("looking for a sent message: %w", err)
		}
		for _, evt := range page.Chunk {
			if evt.ID == m.Cause {
				page.End = ""
				break
			}
			if evt.Sender != s.cfg.UserID {
				continue
			}
			relates := relationOf(evt)
			if evt.Unsigned.TransactionID == m.TxnID || isReaction && relates != nil && *relates == reaction.RelatesTo {
				return evt.ID, nil
			}
			if m.Cause != "" && answers(relates, m.Cause) {
				found = append(found, evt.ID)
			}
		}
		if from = page.End; from == "" {
			break
		}
	}
	if len(found) <= m.Part {
		return "", nil
	}
	return found[len(found)-1-m.Part], nil
}

// relationOf tells what a message or reaction belongs to; nil = nothing. It stands
// outside of the encryption.
func relationOf(evt *event.Event) *event.RelatesTo {
	evt.Type.Class = event.MessageEventType
	if evt.StateKey != nil || evt.Content.ParseRaw(evt.Type) != nil {
		return nil
	}
	switch content := evt.Content.Parsed.(type) {
	case *event.MessageEventContent:
		return content.RelatesTo
	case *event.EncryptedEventContent:
		return content.RelatesTo
	case *event.ReactionEventContent:
		return &content.RelatesTo
	}
	return nil
}

// answers tells whether a relation names cause as what it belongs to.
func answers(relates *event.RelatesTo, cause id.EventID) bool {
	return relates.GetReplyTo() == cause || relates.GetReferenceID() == cause
}
