package chat

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever holds the turn for too long must not hold up the others for ever.
func TestATurnIsWaitedForAndTakenWithinALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &encryption{turn: make(chan struct{}, 1)}
		hangs := func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}
		began, ended := time.Now(), make(chan error)
		go func() { ended <- e.take(t.Context(), hangs) }()
		synctest.Wait()
		time.Sleep(cryptoTime / 2)
		go func() { ended <- e.take(t.Context(), hangs) }()

		for n, want := range []time.Duration{cryptoTime, cryptoTime * 3 / 2} {
			if err := <-ended; !errors.Is(err, context.DeadlineExceeded) || !isTemporary(err) {
				t.Errorf("the %d. ended with %v", n+1, err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("the %d. ended after %s, want %s", n+1, took, want)
			}
		}

		e.turn <- struct{}{} // and is not given back
		began = time.Now()
		err := e.take(t.Context(), func(context.Context) error {
			t.Error("two have the turn")
			return nil
		})
		if took := time.Since(began); took != cryptoTime || !isTemporary(err) {
			t.Errorf("it was waited for for %s, then: %v", took, err)
		}
	})
}
