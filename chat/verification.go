package chat

import (
	"context"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/store"
)

// Nobody sits in front of a bot to compare emoji: every request to do so is
// declined at once, and people are told how to compare keys instead.

const cancelReason = "This is a bot: compare its keys with what it answers to whoami"

// declineVerification answers a request that came as a message in a room.
func (s *session) declineVerification(ctx context.Context, in store.Incoming, evt *event.Event, rel relation) error {
	cancel := map[string]any{
		"code": event.VerificationCancelCodeUser, "reason": cancelReason,
		"m.relates_to": map[string]any{"rel_type": event.RelReference, "event_id": in.EventID},
	}
	own, _ := s.bot.Fingerprint()
	sorry := s.bot.text("verification.declined", locale.Args{"device": own.DeviceID, "fingerprint": own.DeviceKey})
	messages := answer(in, commands.Reply{Texts: []commands.Text{{}, {Text: sorry}}}, rel)
	messages[0].Type, messages[0].content = event.InRoomVerificationCancel.Type, cancel
	err := s.store.Transact(ctx, func(ctx context.Context) error {
		if err := s.bot.queue(ctx, messages); err != nil {
			return err
		}
		return s.store.Handled(ctx, in.EventID)
	})
	if err != nil {
		return err
	}
	s.outbox.wake(in.RoomID)
	return nil
}

// cancelVerification answers a request that came straight to the device. It is
// tried once: the asking client gives up by itself as well.
func (e *encryption) cancelVerification(ctx context.Context, user id.UserID, device id.DeviceID, transaction id.VerificationTransactionID) {
	cancel := &event.Content{Parsed: &event.VerificationCancelEventContent{
		ToDeviceVerificationEvent: event.ToDeviceVerificationEvent{TransactionID: transaction},
		Code:                      event.VerificationCancelCodeUser, Reason: cancelReason,
	}}
	_, err := e.client.SendToDevice(ctx, event.ToDeviceVerificationCancel, &mautrix.ReqSendToDevice{
		Messages: map[id.UserID]map[id.DeviceID]*event.Content{user: {device: cancel}},
	})
	if err != nil {
		e.client.Log.Warn().Err(err).Msg("Declining a verification failed")
	}
}
