package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

const (
	// syncFilter asks for to-device messages, key counts and device lists only:
	// room events come by transactions.
	syncFilter = `{"presence":{"not_types":["*"]},"account_data":{"not_types":["*"]},"room":{"rooms":[]}}`
	syncWait   = 30 * time.Second
	// fallbackEvery is the shortest time between two fallback keys. A used one
	// goes on working; and Dendrite, which keeps none, always asks for one.
	fallbackEvery = time.Hour
)

// syncLoop receives keys. The homeserver keeps to-device messages until the
// next request carries the position after them, so they come by this road and
// not by transactions, which lose them when one fails. It begins nothing new
// once begin has ended.
func (s *session) syncLoop(begin, work context.Context) {
	for failures := 0; begin.Err() == nil; {
		err := s.syncOnce(begin, work)
		switch {
		case err == nil:
			failures = 0
		case begin.Err() != nil:
			return
		case errors.Is(err, errStartOver):
			s.fail(err)
			return
		case s.deviceIsGone(begin, err):
			s.fail(fmt.Errorf("%w: the bot's device was removed: %w", errStartOver, err))
			return
		default:
			s.bot.status.homeserver("not reachable") // the log says why: /ready shows no addresses
			if failures%20 == 0 {
				s.log.Warn().Err(err).Msg("Asking the homeserver for keys failed; trying again")
			}
			select {
			case <-begin.Done():
			case <-time.After(pause(failures, 4*time.Second, err)):
			}
			failures++
			continue
		}
		s.bot.status.homeserver("ok")
	}
}

func (s *session) syncOnce(begin, work context.Context) error {
	since, err := s.crypto.keys.GetNextBatch(begin)
	if err != nil {
		return fmt.Errorf("reading the sync position: %w", err)
	}
	ctx, cancel := context.WithTimeout(begin, syncWait+callTime)
	defer cancel()
	wait := syncWait
	if since == "" {
		wait = 0
	}
	resp, err := s.client.FullSyncRequest(ctx, mautrix.ReqSync{
		Timeout: int(wait.Milliseconds()), Since: since, FilterID: syncFilter, SetPresence: event.PresenceOffline,
	})
	if err != nil {
		return err
	}
	if err := s.crypto.receive(work, resp, since); err != nil {
		if errors.Is(err, errNotBegun) {
			return err
		}
		return fmt.Errorf("%w: %w", errStartOver, err)
	}
	if !slices.ContainsFunc(resp.ToDevice.Events, func(evt *event.Event) bool { return evt.Type.Type == event.ToDeviceEncrypted.Type }) {
		return nil
	}
	rooms, err := s.store.ReleaseWaiting(work)
	for _, room := range rooms {
		s.inbox.wake(room)
	}
	return err
}

// errNotBegun marks failures from before anything was changed.
var errNotBegun = errors.New("not begun")

// receive takes in what /sync brought. To-device messages and the position are
// one commit: with separate ones a crash in between would drop keys as
// "duplicates" when they come again. If the commit fails, the machine's memory
// is ahead of the database and has to be built anew.
func (e *encryption) receive(ctx context.Context, resp *mautrix.RespSync, since string) error {
	begun := false
	err := e.take(ctx, func(ctx context.Context) error {
		begun = true
		e.mach.HandleDeviceLists(ctx, &resp.DeviceLists, since) // asks the homeserver: before the transaction
		var requests []*event.Event
		err := e.store.Transact(ctx, func(ctx context.Context) error {
			for _, evt := range resp.ToDevice.Events {
				evt.Type.Class = event.ToDeviceEventType
				if evt.Content.ParseRaw(evt.Type) != nil {
					continue
				}
				switch evt.Type {
				case event.ToDeviceRoomKeyRequest, event.ToDeviceVerificationRequest:
					requests = append(requests, evt) // these call the homeserver: after the transaction
				default:
					e.mach.HandleToDeviceEvent(ctx, evt)
				}
			}
			return e.keys.PutNextBatch(ctx, resp.NextBatch)
		})
		if err != nil {
			return fmt.Errorf("committing to-device messages: %w", err)
		}
		for _, evt := range requests {
			e.answerRequest(ctx, evt)
		}
		e.mach.MarkOlmHashSavePoint(ctx)
		if err := e.refillOneTimeKeys(ctx, resp.DeviceOTKCount.SignedCurve25519); err != nil {
			return err
		}
		if slices.Contains(resp.FallbackKeys, id.KeyAlgorithmSignedCurve25519) || time.Since(e.fallbackMade) < fallbackEvery {
			return nil
		}
		e.fallbackMade = time.Now()
		return e.uploadFallbackKey(ctx)
	})
	if err != nil && !begun {
		return errors.Join(errNotBegun, err)
	}
	return err
}

// refillOneTimeKeys uploads new one-time keys when less than half are left.
func (e *encryption) refillOneTimeKeys(ctx context.Context, left int) error {
	own := e.mach.GetAccount()
	if left >= int(own.Internal.MaxNumberOfOneTimeKeys()/2) {
		return nil
	}
	err := e.mach.ShareKeys(ctx, left)
	if err != nil && strings.Contains(err.Error(), "already exists") {
		// An older copy of the database was put back: the homeserver has keys
		// under these ids that were made since.
		if err = e.skipOneTimeKeyIDs(ctx); err == nil {
			err = e.mach.ShareKeys(ctx, left)
		}
	}
	if err != nil {
		return fmt.Errorf("uploading one-time keys: %w", err)
	}
	return nil
}

// skipOneTimeKeyIDs makes the next one-time keys get ids that no other copy of the
// database has come to. One by one they would collide as often as the two differ.
func (e *encryption) skipOneTimeKeyIDs(ctx context.Context) error {
	own := e.mach.GetAccount()
	internal, err := goolmAccount(own)
	if err != nil {
		return err
	}
	internal.MarkKeysAsPublished() // those that were refused are not offered again
	internal.NextOneTimeKeyID += 1 << 20
	return e.mach.CryptoStore.PutAccount(ctx, own)
}

// answerRequest answers another device that asks the bot's for something.
func (e *encryption) answerRequest(ctx context.Context, evt *event.Event) {
	switch content := evt.Content.Parsed.(type) {
	case *event.RoomKeyRequestEventContent:
		e.mach.HandleRoomKeyRequest(ctx, evt.Sender, content)
	case *event.VerificationRequestEventContent:
		e.cancelVerification(ctx, evt.Sender, content.FromDevice, content.TransactionID)
	}
}
