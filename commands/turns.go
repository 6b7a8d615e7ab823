package commands

import (
	"context"
	"sync"
)

// turns lets one command at a time have something: the limits of a person, or
// a token text.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // closed when the turn ends
}

// take waits until the thing is free and returns what ends the turn.
func (t *turns) take(ctx context.Context, thing string) (end func(), err error) {
	for {
		busy, end := t.try(thing)
		if end != nil {
			return end, nil
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (t *turns) try(thing string) (busy <-chan struct{}, end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if busy, ok := t.taken[thing]; ok {
		return busy, nil
	}
	if t.taken == nil {
		t.taken = make(map[string]chan struct{})
	}
	ended := make(chan struct{})
	t.taken[thing] = ended
	return nil, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.taken, thing)
		close(ended)
	}
}

// takeTurn waits until the thing is free, if this request has not taken it
// already; Handle ends the turn. Who takes several takes the person's first.
func (r *Request) takeTurn(ctx context.Context, thing string) error {
	if _, taken := r.taken[thing]; taken {
		return nil
	}
	end, err := r.turns.take(ctx, thing)
	if err != nil {
		return err
	}
	if r.taken == nil {
		r.taken = make(map[string]func())
	}
	r.taken[thing] = end
	return nil
}

func (r *Request) endTurns() {
	for _, end := range r.taken {
		end()
	}
}
