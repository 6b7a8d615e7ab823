package main

import (
	"context"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	_ "maunium.net/go/mautrix/crypto/goolm" // the olm implementation, without cgo
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/standin"
)

// device is the person's, with keys for the encrypted rooms.
type device struct {
	keys  *crypto.OlmMachine
	rooms *mautrix.MemoryStateStore
}

func openDevice(ctx context.Context, homeserver string) (*device, error) {
	client, err := mautrix.NewClient(homeserver, person, person)
	if err != nil {
		return nil, fmt.Errorf("opening %s's device: %w", person, err)
	}
	client.DeviceID = "PHONE"
	rooms := mautrix.NewMemoryStateStore().(*mautrix.MemoryStateStore)
	d := &device{crypto.NewOlmMachine(client, nil, crypto.NewMemoryStore(nil), rooms), rooms}
	if err = d.keys.Load(ctx); err == nil {
		err = d.keys.ShareKeys(ctx, -1)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %s's device: %w", person, err)
	}
	return d, nil
}

// seal encrypts a message, and gives the bot the key if it has a new one.
func (d *device) seal(ctx context.Context, e *event.Event) error {
	encrypted, err := d.keys.EncryptMegolmEvent(ctx, e.RoomID, e.Type, e.Content.Parsed)
	if crypto.IsShareError(err) {
		settings := &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1, RotationPeriodMessages: standin.SealedMessages}
		if err = d.rooms.SetEncryptionEvent(ctx, e.RoomID, settings); err == nil {
			err = d.keys.ShareGroupSession(ctx, e.RoomID, []id.UserID{bot})
		}
		if err == nil {
			encrypted, err = d.keys.EncryptMegolmEvent(ctx, e.RoomID, e.Type, e.Content.Parsed)
		}
	}
	if err != nil {
		return fmt.Errorf("encrypting: %w", err)
	}
	e.Type, e.Content = event.EventEncrypted, event.Content{Parsed: encrypted}
	return nil
}
