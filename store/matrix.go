package store

import "context"

// UnshareAccount makes mautrix upload the device's keys again: the homeserver
// has lost them.
func (d *DB) UnshareAccount(ctx context.Context) error {
	return d.exec(ctx, "marking the device's keys as not uploaded", `UPDATE crypto_account SET shared=false`)
}

// ForgetAccount makes mautrix begin with a new device. Keys that were received
// stay.
func (d *DB) ForgetAccount(ctx context.Context) error {
	return d.Transact(ctx, func(ctx context.Context) error {
		for _, table := range []string{"crypto_olm_session", "crypto_megolm_outbound_session", "crypto_olm_message_hash", "crypto_account"} {
			if err := d.exec(ctx, "forgetting the device's account", `DELETE FROM `+table); err != nil {
				return err
			}
		}
		return nil
	})
}
