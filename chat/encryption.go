package chat

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/cryptohelper"
	_ "maunium.net/go/mautrix/crypto/goolm" // the olm implementation, without cgo
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/store"
)

// encryption is the bot's one device and its keys.
//
// Lock order: turn is taken before any transaction that touches the crypto
// tables and around every call into the machine. mautrix holds its own locks
// while it writes, and takes them inside the to-device transaction too: without
// one lock above both, the two wait for each other.
type encryption struct {
	helper *cryptohelper.CryptoHelper
	mach   *crypto.OlmMachine
	keys   *crypto.SQLCryptoStore // the machine's store, for the sync position
	client *mautrix.Client
	store  *store.DB
	turn   chan struct{} // holds one value while somebody has the turn

	fallbackMade time.Time // when the last fallback key was uploaded; used during a turn

	sharing // whom the outgoing sessions have reached; used during a turn
}

// cryptoTime is how long one turn may take, waiting for it included.
const cryptoTime = 60 * time.Second

// turnKey marks the contexts of a turn.
type turnKey struct{}

// take runs fn while nobody else uses the crypto, within cryptoTime.
func (e *encryption) take(ctx context.Context, fn func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, cryptoTime)
	defer cancel()
	select {
	case e.turn <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the encryption: %w", ctx.Err())
	}
	defer func() { <-e.turn }()
	return fn(context.WithValue(ctx, turnKey{}, true))
}

// openCrypto makes or finds the bot's device, its keys and its cross-signing
// identity, and sees that the homeserver has the same.
func (s *session) openCrypto(ctx context.Context) (*encryption, error) {
	e := &encryption{client: s.client, store: s.store, turn: make(chan struct{}, 1), sharing: newSharing()}
	s.client.SetAppServiceDeviceID = true // or the helper would want to receive events
	open := func() (err error) {
		device, err := s.cryptoDevice(ctx)
		if err != nil {
			return err
		}
		if err = s.useDevice(ctx, device); err != nil {
			return err
		}
		e.helper, err = cryptohelper.NewCryptoHelper(s.client, []byte(s.cfg.Encryption.PickleKey), s.store.Matrix())
		if err != nil {
			return err
		}
		e.helper.DBAccountID = s.cfg.UserID.String()
		return e.helper.Init(ctx)
	}
	err := open()
	switch {
	case err == nil:
	case wrongPickleKey(err):
		return nil, fmt.Errorf("%w (%w): put the former key back, or see docs/encryption.md for starting afresh", ErrWrongPickleKey, err)
	case keysVanished(err):
		s.log.Warn().Msg("The homeserver has lost the bot's device (somebody removed it, or it was restored from a backup); uploading the same keys again")
		if err = s.store.UnshareAccount(ctx); err == nil {
			err = open()
		}
	case foreignKeys(err):
		s.log.Warn().Err(err).Msg("The homeserver has other keys for the bot's device; making a new device")
		if err = s.store.ForgetAccount(ctx); err == nil {
			err = open()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("preparing the encryption: %w", err)
	}
	e.mach = e.helper.Machine()
	// It would ask the homeserver inside the to-device transaction, which holds
	// SQLite's one right to write; decrypt asks for unknown devices itself.
	e.mach.DisableDecryptKeyFetching = true
	e.keys = e.mach.CryptoStore.(*crypto.SQLCryptoStore) // made by the helper for the database
	e.mach.CryptoStore = turnStore{e.keys, e}
	if err := s.ensureCrossSigning(ctx, e); err != nil {
		return nil, fmt.Errorf("preparing cross-signing: %w", err)
	}
	return e, nil
}

// cryptoDevice returns the id of the device whose keys are in the database, or
// draws one: it is kept when the keys are.
func (s *session) cryptoDevice(ctx context.Context) (id.DeviceID, error) {
	keys := crypto.NewSQLCryptoStore(s.store.Matrix(), dbutil.ZeroLogger(s.log), s.cfg.UserID.String(), "", []byte(s.cfg.Encryption.PickleKey))
	if err := keys.DB.Upgrade(ctx); err != nil {
		return "", fmt.Errorf("preparing the tables for keys: %w", err)
	}
	device, err := keys.FindDeviceID(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the device: %w", err)
	} else if device == "" {
		device = newDeviceID()
	}
	return device, nil
}

// mautrix has no sentinels for these.
func wrongPickleKey(err error) bool {
	return strings.Contains(err.Error(), "failed to load olm account") && strings.Contains(err.Error(), "bad mac")
}

func keysVanished(err error) bool {
	return strings.Contains(err.Error(), "keys seem to have disappeared")
}

func foreignKeys(err error) bool {
	return strings.Contains(err.Error(), "mismatching identity key on server") ||
		strings.Contains(err.Error(), "not marked as shared, but there are keys on the server")
}

// encrypt encrypts for all devices of the people in the room, sharing the
// room's session with those who don't have it yet. The error is
// errDeviceNotReady while a device among them can't be given the session.
func (e *encryption) encrypt(ctx context.Context, room id.RoomID, kind event.Type, content any) (encrypted *event.EncryptedEventContent, err error) {
	err = e.take(ctx, func(ctx context.Context) error {
		if encrypted, err = e.helper.Encrypt(ctx, room, kind, content); err != nil {
			return err
		}
		return e.reached(ctx, room, encrypted.SessionID)
	})
	if err != nil {
		return nil, fmt.Errorf("encrypting a message: %w", err)
	}
	return encrypted, nil
}

// forgetSession makes the next message begin a new outgoing session.
func (e *encryption) forgetSession(ctx context.Context, room id.RoomID) error {
	return e.take(ctx, func(ctx context.Context) error { return e.mach.CryptoStore.RemoveOutboundGroupSession(ctx, room) })
}

// memberChanged ends the room's outgoing session when somebody leaves, and
// learns the devices of who comes.
func (e *encryption) memberChanged(ctx context.Context, evt *event.Event) error {
	return e.take(ctx, func(ctx context.Context) error {
		e.mach.HandleMemberEvent(ctx, evt)
		if evt.Content.AsMember().Membership != event.MembershipJoin {
			return nil
		}
		if encrypted, err := e.mach.StateStore.IsEncrypted(ctx, evt.RoomID); err != nil || !encrypted {
			return err
		}
		// Not fatal: devices are fetched again when something is sent.
		_, _ = e.mach.FetchKeys(ctx, []id.UserID{id.UserID(evt.GetStateKey())}, true)
		return nil
	})
}

// fingerprint is what people compare with what their client shows.
func (e *encryption) fingerprint() Fingerprint {
	own := e.mach.OwnIdentity()
	f := Fingerprint{DeviceID: own.DeviceID.String(), DeviceKey: grouped(own.SigningKey.String())}
	if keys := e.mach.CrossSigningKeys; keys != nil {
		f.MasterKey = grouped(keys.MasterKey.PublicKey().String())
	}
	return f
}

// grouped writes a key in groups of four, as clients do.
func grouped(key string) string {
	var groups []string
	for len(key) > 4 {
		groups, key = append(groups, key[:4]), key[4:]
	}
	return strings.Join(append(groups, key), " ")
}
