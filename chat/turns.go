package chat

import (
	"context"

	"go.mau.fi/util/exsync"
	"maunium.net/go/mautrix/id"
)

// roomTurns lets one at a time do something about a room. Unlike with a mutex,
// waiting ends with the context.
type roomTurns struct {
	turns *exsync.Map[id.RoomID, chan struct{}] // each holds one value while somebody has the turn
}

func newRoomTurns() roomTurns { return roomTurns{exsync.NewMap[id.RoomID, chan struct{}]()} }

// take waits for a room's turn and returns what gives it back.
func (t roomTurns) take(ctx context.Context, room id.RoomID) (giveBack func(), err error) {
	turn := t.turns.GetOrSetFactory(room, func() chan struct{} { return make(chan struct{}, 1) })
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
