package lab

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

// UseUpKeys takes all one-time keys of the person's device, which is left as the
// homeserver shows a device that has just logged in.
func (p *Person) UseUpKeys(ctx context.Context) error {
	for {
		claimed, err := p.client.ClaimKeys(ctx, &mautrix.ReqClaimKeys{OneTimeKeys: mautrix.OneTimeKeysRequest{
			p.UserID: {p.client.DeviceID: id.KeyAlgorithmSignedCurve25519},
		}})
		if err != nil {
			return fmt.Errorf("using up the one-time keys of %s: %w", p.UserID, err)
		}
		if len(claimed.OneTimeKeys[p.UserID][p.client.DeviceID]) == 0 {
			return nil
		}
	}
}

// UploadKeys gives the person's device one-time keys again.
func (p *Person) UploadKeys(ctx context.Context) error {
	if err := p.secrecy.helper.Machine().ShareKeys(ctx, 0); err != nil {
		return fmt.Errorf("uploading one-time keys of %s: %w", p.UserID, err)
	}
	return nil
}
