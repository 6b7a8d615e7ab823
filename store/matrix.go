package store

import (
	"context"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/id"
)

// Recipient is a device of somebody who is in a room, or invited.
type Recipient struct {
	User       id.UserID
	Device     id.DeviceID
	Key        id.IdentityKey
	HasSession bool // it was given the outgoing session
}

// Recipients returns the devices in a room, as far as mautrix knows them and
// nobody has blocked them, and which of them have an outgoing session.
func (d *DB) Recipients(ctx context.Context, room id.RoomID, session id.SessionID) ([]Recipient, error) {
	return query(ctx, d, "reading who has a session", func(row dbutil.Scannable) (r Recipient, err error) {
		err = row.Scan(&r.User, &r.Device, &r.Key, &r.HasSession)
		return r, err
	}, `SELECT d.user_id, d.device_id, d.identity_key, s.session_id IS NOT NULL
		FROM mx_user_profile p
		JOIN crypto_tracked_user t ON t.user_id=p.user_id
		JOIN crypto_device d ON d.user_id=p.user_id AND NOT d.deleted AND d.trust<>$3
		LEFT JOIN crypto_megolm_outbound_session_shared s ON s.user_id=d.user_id AND s.identity_key=d.identity_key AND s.session_id=$2
		WHERE p.room_id=$1 AND p.membership IN ('join', 'invite')`, room, session, id.TrustStateBlacklisted)
}

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
