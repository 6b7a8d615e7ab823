package chat

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// sendKey sends something encrypted to somebody's device, as room keys are.
func (e *encryption) sendKey(ctx context.Context, user id.UserID) error {
	return e.take(ctx, func(ctx context.Context) error {
		to, err := e.mach.GetOrFetchDevice(ctx, user, device)
		if err != nil {
			return err
		}
		return e.mach.SendEncryptedToDevice(ctx, to, event.ToDeviceDummy, event.Content{Parsed: &event.DummyEventContent{}})
	})
}

// Keys go out while to-device messages come in and are committed. mautrix takes
// its lock and the database's in one order here and in the other there; only
// the turn keeps the two from waiting for each other.
func TestKeysGoOutWhileToDeviceMessagesComeIn(t *testing.T) {
	const rounds = 1000
	office := newPost()
	bot, friend := office.join(t, "@bot:x"), office.join(t, "@friend:x")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	var sides sync.WaitGroup
	sides.Go(func() { // the bot shares keys
		for n := range rounds {
			if err := bot.sendKey(ctx, "@friend:x"); err != nil {
				t.Errorf("sharing for the %d. time: %v", n+1, err)
				return
			}
		}
	})
	received := 0
	sides.Go(func() { // and receives them
		for n := range rounds {
			if err := friend.sendKey(ctx, "@bot:x"); err != nil {
				t.Errorf("the friend's %d. key: %v", n+1, err)
				return
			}
			mail := office.Collect("@bot:x")
			received += len(mail)
			news := &mautrix.RespSync{NextBatch: fmt.Sprint(n), FallbackKeys: []id.KeyAlgorithm{id.KeyAlgorithmSignedCurve25519}}
			news.ToDevice.Events = mail
			news.DeviceOTKCount.SignedCurve25519 = 100
			if err := bot.receive(ctx, news, ""); err != nil {
				t.Errorf("receiving for the %d. time: %v", n+1, err)
				return
			}
		}
	})
	sides.Wait()
	if position, err := bot.keys.GetNextBatch(t.Context()); err != nil || received != rounds || position != fmt.Sprint(rounds-1) {
		t.Errorf("received %d messages up to position %q (%v), want %d", received, position, err, rounds)
	}
}

// A device uses a session that the bot has lost. mautrix makes it a new one at
// once, while the rest of what came with its message is still being taken in.
func TestANewSessionIsMadeWhileToDeviceMessagesComeIn(t *testing.T) {
	office := newPost()
	bot, friend, others := office.join(t, "@bot:x"), office.join(t, "@friend:x"), office.join(t, "@others:x")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	receive := func(mail []*event.Event) {
		t.Helper()
		news := &mautrix.RespSync{NextBatch: "next", FallbackKeys: []id.KeyAlgorithm{id.KeyAlgorithmSignedCurve25519}}
		news.ToDevice.Events = mail
		news.DeviceOTKCount.SignedCurve25519 = 100
		if err := bot.receive(ctx, news, ""); err != nil {
			t.Fatal(err)
		}
	}
	send := func(from *encryption) {
		t.Helper()
		if err := from.sendKey(ctx, "@bot:x"); err != nil {
			t.Fatal(err)
		}
	}
	send(friend)
	receive(office.Collect("@bot:x"))
	if err := bot.sendKey(ctx, "@friend:x"); err != nil { // it knows the device now
		t.Fatal(err)
	}
	office.Collect("@friend:x")
	if _, err := bot.keys.DB.Exec(ctx, "DELETE FROM crypto_olm_session"); err != nil {
		t.Fatal(err)
	}

	send(friend)
	for range 100 {
		send(others)
	}
	receive(office.Collect("@bot:x"))
	for len(office.Collect("@friend:x")) == 0 {
		select {
		case <-ctx.Done():
			t.Fatal("the friend got no new session")
		case <-time.After(10 * time.Millisecond):
		}
	}
}
