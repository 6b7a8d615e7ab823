package chat

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/goolm/account"
	"maunium.net/go/mautrix/crypto/signatures"
	"maunium.net/go/mautrix/id"
)

// ensureCrossSigning sees that the bot has cross-signing keys, that they are
// the ones that the homeserver shows, and that the device is signed with them:
// only then do clients show the bot without a warning. An appservice needs no
// password for any of it (MSC4190), except on Dendrite.
func (s *session) ensureCrossSigning(ctx context.Context, e *encryption) error {
	published, err := e.publishedMasterKey(ctx)
	if err != nil {
		return err
	}
	err = e.loadCrossSigning(ctx)
	if err != nil && !errors.Is(err, errNoSeeds) {
		return err
	}
	ours := err == nil && (published == "" || published == e.mach.CrossSigningKeys.MasterKey.PublicKey())
	if !ours {
		// A database that was lost, or an older one brought back. Synapse takes
		// no key a second time, so a former identity can't be put up again.
		if published != "" {
			s.log.Warn().Msg("The homeserver shows another cross-signing identity than the database has; making a new one. People who had verified the bot will be told")
		}
		if err := e.makeCrossSigning(ctx); err != nil {
			return err
		}
	} else if published != "" && e.deviceSigned(ctx) {
		return nil
	}
	err = e.publishCrossSigning(ctx, e.mach.CrossSigningKeys)
	if published != "" && wantsPassword(err) {
		s.log.Warn().Msg("The homeserver takes no other cross-signing identity without a password, and the bot has none: clients will warn of its device. See docs/encryption.md")
		e.mach.CrossSigningKeys = nil
		return nil
	}
	return err
}

// wantsPassword tells whether the homeserver asks for more than an appservice
// can give: Dendrite knows no exception for it.
func wantsPassword(err error) bool {
	var answer mautrix.HTTPError
	return errors.As(err, &answer) && answer.IsStatus(http.StatusUnauthorized) && answer.RespError == nil
}

var errNoSeeds = errors.New("no cross-signing keys in the database")

var seedNames = [3]id.Secret{id.SecretXSMaster, id.SecretXSSelfSigning, id.SecretXSUserSigning}

// loadCrossSigning reads the private keys, which the store keeps encrypted with
// the pickle key.
func (e *encryption) loadCrossSigning(ctx context.Context) error {
	var seeds [3][]byte
	for i, name := range seedNames {
		secret, err := e.mach.CryptoStore.GetSecret(ctx, name)
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		} else if secret == "" {
			return errNoSeeds
		}
		if seeds[i], err = base64.StdEncoding.DecodeString(secret); err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
	}
	return e.mach.ImportCrossSigningKeys(crypto.CrossSigningSeeds{
		MasterKey: seeds[0], SelfSigningKey: seeds[1], UserSigningKey: seeds[2],
	})
}

// makeCrossSigning makes new keys and stores them before anybody sees them: a
// published key that is lost would have to be replaced.
func (e *encryption) makeCrossSigning(ctx context.Context) error {
	keys, err := e.mach.GenerateCrossSigningKeys()
	if err != nil {
		return err
	}
	seeds := keys.Seeds()
	err = e.store.Transact(ctx, func(ctx context.Context) error {
		for i, seed := range [3][]byte{seeds.MasterKey, seeds.SelfSigningKey, seeds.UserSigningKey} {
			if err := e.mach.CryptoStore.PutSecret(ctx, seedNames[i], base64.StdEncoding.EncodeToString(seed)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("storing cross-signing keys: %w", err)
	}
	return e.loadCrossSigning(ctx)
}

// publishCrossSigning uploads the public keys and signs the device with them.
func (e *encryption) publishCrossSigning(ctx context.Context, keys *crypto.CrossSigningKeysCache) error {
	if err := e.mach.PublishCrossSigningKeys(ctx, keys, nil); err != nil {
		return fmt.Errorf("publishing cross-signing keys: %w", err)
	}
	for usage, key := range map[id.CrossSigningUsage]id.Ed25519{
		id.XSUsageMaster:      keys.MasterKey.PublicKey(),
		id.XSUsageSelfSigning: keys.SelfSigningKey.PublicKey(),
		id.XSUsageUserSigning: keys.UserSigningKey.PublicKey(),
	} {
		if err := e.mach.CryptoStore.PutCrossSigningKey(ctx, e.client.UserID, usage, key); err != nil {
			return fmt.Errorf("storing a cross-signing key: %w", err)
		}
	}
	if err := e.mach.SignOwnDevice(ctx, e.mach.OwnIdentity()); err != nil {
		return fmt.Errorf("signing the bot's device: %w", err)
	}
	if err := e.mach.SignOwnMasterKey(ctx); err != nil {
		return fmt.Errorf("signing the bot's master key: %w", err)
	}
	return nil
}

// publishedMasterKey asks the homeserver, not the local store: after a restore
// or a reset the two differ.
func (e *encryption) publishedMasterKey(ctx context.Context) (id.Ed25519, error) {
	resp, err := e.ownKeys(ctx)
	if err != nil {
		return "", err
	}
	master := resp.MasterKeys[e.client.UserID]
	return master.FirstKey(), nil
}

// deviceSigned tells whether the homeserver shows the device with a signature
// of the bot's self-signing key.
func (e *encryption) deviceSigned(ctx context.Context) bool {
	resp, err := e.ownKeys(ctx)
	if err != nil {
		return false
	}
	signer := id.NewKeyID(id.KeyAlgorithmEd25519, e.mach.CrossSigningKeys.SelfSigningKey.PublicKey().String())
	_, signed := resp.DeviceKeys[e.client.UserID][e.client.DeviceID].Signatures[e.client.UserID][signer]
	return signed
}

func (e *encryption) ownKeys(ctx context.Context) (*mautrix.RespQueryKeys, error) {
	resp, err := e.client.QueryKeys(ctx, &mautrix.ReqQueryKeys{
		DeviceKeys: map[id.UserID]mautrix.DeviceIDList{e.client.UserID: {e.client.DeviceID}},
	})
	if err != nil {
		return nil, fmt.Errorf("asking for the bot's own keys: %w", err)
	}
	return resp, nil
}

// uploadFallbackKey makes a fallback key (MSC2732): the one that new devices
// get when all one-time keys are gone, which any local user can bring about
// while the bot is down. mautrix has no call for it.
func (e *encryption) uploadFallbackKey(ctx context.Context) error {
	own := e.mach.GetAccount()
	internal, err := goolmAccount(own)
	if err != nil {
		return fmt.Errorf("making a fallback key: %w", err)
	}
	if err := internal.GenFallbackKey(); err != nil {
		return fmt.Errorf("making a fallback key: %w", err)
	}
	key := mautrix.OneTimeKey{Key: internal.CurrentFallbackKey.Key.PublicKey.B64Encoded(), Fallback: true}
	signature, err := own.SignJSON(key)
	if err != nil {
		return fmt.Errorf("signing a fallback key: %w", err)
	}
	key.Signatures = signatures.NewSingleSignature(e.client.UserID, id.KeyAlgorithmEd25519, e.client.DeviceID.String(), signature)
	key.IsSigned = true
	if err := e.mach.CryptoStore.PutAccount(ctx, own); err != nil {
		return fmt.Errorf("storing a fallback key: %w", err)
	}
	keyID := id.NewKeyID(id.KeyAlgorithmSignedCurve25519, internal.CurrentFallbackKey.KeyIDEncoded())
	_, err = e.client.MakeRequest(ctx, http.MethodPost, e.client.BuildClientURL("v3", "keys", "upload"),
		map[string]any{"fallback_keys": map[id.KeyID]mautrix.OneTimeKey{keyID: key}}, nil)
	if err != nil {
		return fmt.Errorf("uploading a fallback key: %w", err)
	}
	return nil
}

// goolmAccount is the account with what mautrix's interface does not offer.
func goolmAccount(own *crypto.OlmAccount) (*account.Account, error) {
	internal, ok := own.Internal.(*account.Account)
	if !ok {
		return nil, fmt.Errorf("the olm account is a %T, not goolm's", own.Internal)
	}
	return internal, nil
}
