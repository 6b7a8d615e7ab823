package chat

import (
	"context"

	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/id"
)

// turnStore is the machine's store. For a device whose messages can't be read any
// more mautrix makes a new Olm session in a goroutine of its own, without the turn.
// Storing that session, it would hold what the to-device transaction needs, while
// it waits for SQLite's one right to write, which that transaction has.
type turnStore struct {
	*crypto.SQLCryptoStore
	encryption *encryption
}

// AddSession implements crypto.Store, during a turn.
func (s turnStore) AddSession(ctx context.Context, key id.SenderKey, session *crypto.OlmSession) error {
	add := func(ctx context.Context) error { return s.SQLCryptoStore.AddSession(ctx, key, session) }
	if ctx.Value(turnKey{}) == nil {
		return s.encryption.take(ctx, add)
	}
	return add(ctx)
}
