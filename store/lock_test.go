package store

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// Whoever waits for the end of another process works within two seconds of it,
// on PostgreSQL too, where it waits on purpose.
func TestTheNextTakesOverWithinTwoSeconds(t *testing.T) {
	uri := freshURI(t, "sqlite")
	old, next := open(t, uri), open(t, uri)
	synctest.Test(t, func(t *testing.T) {
		held, err := old.Lock(t.Context(), zerolog.Nop())
		must(t, err)
		taken := make(chan *Lock)
		go func() {
			lock, err := next.Lock(t.Context(), zerolog.Nop())
			if err != nil {
				t.Error(err)
			}
			taken <- lock
		}()
		time.Sleep(10*time.Second + time.Millisecond)
		held.Release()
		released := time.Now()
		(<-taken).Release()
		if took := time.Since(released); took+lockGrace >= 2*time.Second {
			t.Errorf("it took %s, and %s more on PostgreSQL", took, lockGrace)
		}
	})
}
