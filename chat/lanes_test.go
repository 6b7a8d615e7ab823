package chat

import (
	"context"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"
)

// work is a queue for each room, as the database would have it.
type work struct {
	mu    sync.Mutex
	queue map[id.RoomID][]int
	done  map[id.RoomID][]int
}

func (w *work) add(room id.RoomID, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue[room] = append(w.queue[room], n)
}

func (w *work) take(room id.RoomID) (int, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.queue[room]) == 0 {
		return 0, false
	}
	n := w.queue[room][0]
	w.queue[room] = w.queue[room][1:]
	w.done[room] = append(w.done[room], n)
	return n, true
}

func newWork() *work {
	return &work{queue: map[id.RoomID][]int{}, done: map[id.RoomID][]int{}}
}

func TestLanesKeepOrderWithinARoomAndMissNothing(t *testing.T) {
	w := newWork()
	lanes := newLanes(func(_ context.Context, room id.RoomID) (time.Duration, bool) {
		_, ok := w.take(room)
		return 0, ok
	})
	stop := make(chan struct{})
	lanes.start(t.Context(), stop)
	const rooms, each = 20, 200
	var callers sync.WaitGroup
	for r := range rooms {
		callers.Go(func() {
			room := id.RoomID(rune('a' + r))
			for n := range each {
				w.add(room, n)
				lanes.wake(room)
			}
		})
	}
	callers.Wait()
	lanes.wait() // every lane ends by itself when its room has no more work
	for r := range rooms {
		done := w.done[id.RoomID(rune('a'+r))]
		if len(done) != each {
			t.Fatalf("room %d: %d pieces of work done, want %d", r, len(done), each)
		}
		for n, got := range done {
			if got != n {
				t.Fatalf("room %d: piece %d came at place %d", r, got, n)
			}
		}
	}
}

func TestAStuckRoomHoldsUpNoOther(t *testing.T) {
	stuck, free := make(chan struct{}), make(chan struct{})
	lanes := newLanes(func(ctx context.Context, room id.RoomID) (time.Duration, bool) {
		if room == "stuck" {
			<-stuck
		} else {
			close(free)
		}
		return 0, false
	})
	lanes.start(t.Context(), make(chan struct{}))
	lanes.wake("stuck")
	lanes.wake("free")
	<-free
	close(stuck)
	lanes.wait()
}

func TestNothingBeginsAfterAStop(t *testing.T) {
	stop := make(chan struct{})
	began := 0
	lanes := newLanes(func(context.Context, id.RoomID) (time.Duration, bool) {
		began++
		close(stop)
		return 0, true // there would be more
	})
	lanes.start(t.Context(), stop)
	lanes.wake("room")
	lanes.wait()
	lanes.wake("room")
	lanes.wait()
	if began != 1 {
		t.Errorf("%d steps began, want only the one before the stop", began)
	}
}

func TestAWaitingLaneWakesEarly(t *testing.T) {
	steps := make(chan int, 2)
	n := 0
	lanes := newLanes(func(context.Context, id.RoomID) (time.Duration, bool) {
		n++
		steps <- n
		if n == 1 {
			return time.Hour, false
		}
		return 0, false
	})
	lanes.start(t.Context(), make(chan struct{}))
	lanes.wake("room")
	<-steps
	lanes.wake("room")
	<-steps
	lanes.wait()
}
