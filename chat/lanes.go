package chat

import (
	"context"
	"sync"
	"time"

	"maunium.net/go/mautrix/id"
)

// atOnce is how many rooms are worked on at the same time. Most of a room's
// time is waiting for the homeserver, so it is well above the cores.
const atOnce = 32

// lanes gives each room that has work a goroutine of its own: order within a
// room is kept, and a slow room holds up no other.
type lanes struct {
	// step does one piece of a room's work. It returns more = true if there
	// may be more at once, or else how long to wait (0 = nothing to do).
	step  func(ctx context.Context, room id.RoomID) (wait time.Duration, more bool)
	slots chan struct{}

	mu   sync.Mutex
	work context.Context // nil before start
	stop <-chan struct{} // closed: begin nothing new
	room map[id.RoomID]chan struct{}
	wg   sync.WaitGroup
}

func newLanes(step func(context.Context, id.RoomID) (time.Duration, bool)) *lanes {
	return &lanes{step: step, slots: make(chan struct{}, atOnce), room: make(map[id.RoomID]chan struct{})}
}

// start lets work begin. It goes on in the context work; once stop is closed no
// new step begins. Wait for the end with wait.
func (l *lanes) start(work context.Context, stop <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.work, l.stop = work, stop
}

// wait returns when every lane has ended.
func (l *lanes) wait() { l.wg.Wait() }

// wake tells that a room may have work.
func (l *lanes) wake(room id.RoomID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.work == nil || l.stopped() {
		return
	}
	signal, running := l.room[room]
	if !running {
		signal = make(chan struct{}, 1)
		l.room[room] = signal
		l.wg.Add(1)
		go l.run(room, signal)
		return
	}
	select {
	case signal <- struct{}{}:
	default: // it will look once more anyway
	}
}

func (l *lanes) stopped() bool {
	select {
	case <-l.stop:
		return true
	default:
		return false
	}
}

func (l *lanes) run(room id.RoomID, signal chan struct{}) {
	defer l.wg.Done()
	for {
		select {
		case <-l.stop:
			return
		case l.slots <- struct{}{}:
		}
		if l.stopped() { // with both ready, select takes either
			<-l.slots
			return
		}
		wait, more := l.step(l.work, room)
		<-l.slots
		switch {
		case more:
		case wait > 0:
			select {
			case <-l.stop:
				return
			case <-signal:
			case <-time.After(wait):
			}
		default:
			if l.end(room, signal) {
				return
			}
		}
	}
}

// end closes a lane unless it was woken in the meantime.
func (l *lanes) end(room id.RoomID, signal chan struct{}) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-signal:
		return false
	default:
		delete(l.room, room)
		return true
	}
}
