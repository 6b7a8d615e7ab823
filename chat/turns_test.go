package chat

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestARoomHasOneTurnAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := newRoomTurns()
		giveBack, err := turns.take(t.Context(), "!a:x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := turns.take(t.Context(), "!b:x"); err != nil {
			t.Errorf("another room has to wait: %v", err)
		}
		patient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := turns.take(patient, "!a:x"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for a turn that is taken: %v", err)
		}
		giveBack()
		if _, err := turns.take(t.Context(), "!a:x"); err != nil {
			t.Errorf("a turn that was given back: %v", err)
		}
	})
}
