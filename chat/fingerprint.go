package chat

import (
	"context"
	"errors"
	"fmt"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/olm"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/store"
)

// Fingerprint is what people compare with what their client shows of the bot.
type Fingerprint struct {
	DeviceID  string
	DeviceKey string // Ed25519, in groups of four
	MasterKey string // of the cross-signing identity, in groups of four; empty = none that the homeserver shows
}

// ErrNoDevice means that the bot has not made its device yet.
var ErrNoDevice = errors.New("the bot has no device yet: it makes one when it first meets the homeserver")

// ReadFingerprint reads the bot's keys from the database, beside a running bot
// too. It changes nothing.
func ReadFingerprint(ctx context.Context, db *store.DB, user id.UserID, pickleKey string) (Fingerprint, error) {
	keys := crypto.NewSQLCryptoStore(db.Matrix(), dbutil.NoopLogger, user.String(), "", []byte(pickleKey))
	if made, err := db.Matrix().TableExists(ctx, "crypto_account"); err != nil {
		return Fingerprint{}, fmt.Errorf("reading the database: %w", err)
	} else if !made {
		return Fingerprint{}, ErrNoDevice
	}
	device, err := keys.FindDeviceID(ctx)
	if err != nil {
		return Fingerprint{}, fmt.Errorf("reading the device: %w", err)
	}
	account, err := keys.GetAccount(ctx)
	if errors.Is(err, olm.ErrBadMAC) {
		return Fingerprint{}, fmt.Errorf("%w: %w", ErrWrongPickleKey, err)
	} else if err != nil {
		return Fingerprint{}, fmt.Errorf("reading the device's keys: %w", err)
	} else if account == nil {
		return Fingerprint{}, ErrNoDevice
	}
	identity, err := keys.GetCrossSigningKeys(ctx, user)
	if err != nil {
		return Fingerprint{}, fmt.Errorf("reading the cross-signing keys: %w", err)
	}
	f := Fingerprint{DeviceID: device.String(), DeviceKey: grouped(account.SigningKey().String())}
	// The database also knows an identity of the bot that is not in its hands
	// any more, if the homeserver shows that one.
	ours, err := keys.IsKeySignedBy(ctx, user, account.SigningKey(), user, identity[id.XSUsageSelfSigning].Key)
	if err != nil {
		return Fingerprint{}, fmt.Errorf("reading the device's signatures: %w", err)
	} else if ours {
		f.MasterKey = grouped(identity[id.XSUsageMaster].Key.String())
	}
	return f, nil
}
