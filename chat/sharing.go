package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"maunium.net/go/mautrix/id"
)

// readyTime is how long a message waits for a device that can't be given its
// session. Homeservers show a new device a moment before they have its one-time
// keys; a device that never has any must not hold up the others.
const readyTime = 5 * time.Second

// errDeviceNotReady means that a device in the room has no one-time key to be
// given the session with.
var errDeviceNotReady = errors.New("a device has no one-time keys yet")

// sharing keeps in mind whom the outgoing sessions have reached. mautrix counts a
// session as shared, and never tries again, even if it had to leave devices out.
type sharing struct {
	complete map[id.RoomID]id.SessionID // the sessions that need no more looking after
	since    map[id.IdentityKey]time.Time
}

func newSharing() sharing {
	return sharing{complete: make(map[id.RoomID]id.SessionID), since: make(map[id.IdentityKey]time.Time)}
}

// reached checks that a room's session was shared with all devices of the people
// there. If not it forgets the session, so that the next try shares another one
// with everybody, unless the devices left out had readyTime already.
func (e *encryption) reached(ctx context.Context, room id.RoomID, session id.SessionID) error {
	if e.complete[room] == session {
		return nil
	}
	people, err := e.client.StateStore.GetRoomJoinedOrInvitedMembers(ctx, room)
	if err != nil {
		return fmt.Errorf("reading the members of %s: %w", room, err)
	}
	for _, user := range people {
		devices, err := e.keys.GetDevices(ctx, user)
		if err != nil {
			return fmt.Errorf("reading the devices of %s: %w", user, err)
		}
		for _, device := range devices {
			if user == e.client.UserID && device.DeviceID == e.client.DeviceID || device.Trust == id.TrustStateBlacklisted {
				continue
			}
			has, err := e.keys.IsOutboundGroupSessionShared(ctx, user, device.IdentityKey, session)
			if err != nil {
				return fmt.Errorf("asking who has the session: %w", err)
			}
			if has {
				delete(e.since, device.IdentityKey)
				continue
			}
			since, known := e.since[device.IdentityKey]
			if !known {
				since = time.Now()
				e.since[device.IdentityKey] = since
			}
			if time.Since(since) < readyTime {
				err = e.keys.RemoveOutboundGroupSession(ctx, room)
				return errors.Join(fmt.Errorf("%w: %s of %s", errDeviceNotReady, device.DeviceID, user), err)
			}
		}
	}
	e.complete[room] = session
	return nil
}
