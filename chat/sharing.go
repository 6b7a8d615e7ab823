package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/store"
)

const (
	// readyTime is how long messages of a room wait for devices that can't be given
	// their session. Homeservers show a new device a moment before they have its
	// one-time keys; a device that never has any must not hold up the others.
	readyTime = 5 * time.Second
	// readyPause is how long until the next try.
	readyPause = time.Second
)

// errDeviceNotReady means that a device in the room has no one-time key to be
// given the session with.
var errDeviceNotReady = errors.New("a device has no one-time keys yet")

// sharing keeps in mind whom the outgoing sessions have reached. mautrix counts a
// session as shared, and never tries again, even if it had to leave devices out.
type sharing struct {
	complete map[id.RoomID]id.SessionID // the sessions that need no more looking after
	waiting  map[id.RoomID]time.Time    // since when a message waits there
	hopeless map[id.IdentityKey]bool    // devices that were waited for in vain
}

func newSharing() sharing {
	return sharing{
		complete: make(map[id.RoomID]id.SessionID),
		waiting:  make(map[id.RoomID]time.Time),
		hopeless: make(map[id.IdentityKey]bool),
	}
}

// reached checks that a room's session was shared with all devices of the people
// there. If not it forgets the session, so that the next try shares another one
// with everybody, until the room has waited for readyTime.
func (e *encryption) reached(ctx context.Context, room id.RoomID, session id.SessionID) error {
	if e.complete[room] == session {
		return nil
	}
	missing, err := e.leftOut(ctx, room, session)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		since, waits := e.waiting[room]
		if !waits {
			since = time.Now()
			e.waiting[room] = since
		}
		if time.Since(since) < readyTime {
			err := e.keys.RemoveOutboundGroupSession(ctx, room)
			return errors.Join(fmt.Errorf("%w: %s of %s", errDeviceNotReady, missing[0].Device, missing[0].User), err)
		}
		for _, device := range missing {
			e.hopeless[device.Key] = true
		}
	}
	delete(e.waiting, room)
	e.complete[room] = session
	return nil
}

// leftOut returns the devices in a room that do not have its session and that are
// worth waiting for.
func (e *encryption) leftOut(ctx context.Context, room id.RoomID, session id.SessionID) (missing []store.Recipient, err error) {
	devices, err := e.store.Recipients(ctx, room, session)
	for _, device := range devices {
		switch {
		case device.User == e.client.UserID && device.Device == e.client.DeviceID:
		case device.HasSession:
			delete(e.hopeless, device.Key)
		case !e.hopeless[device.Key]:
			missing = append(missing, device)
		}
	}
	return missing, err
}
