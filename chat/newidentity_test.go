package chat

import (
	"testing"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/id"
)

func TestAChangedIdentityIsAcceptedAndAuditedOnce(t *testing.T) {
	s := history(t)
	keys := crypto.NewSQLCryptoStore(s.store.Matrix(), dbutil.NoopLogger, "@bot:x", "DEVICE", []byte("key"))
	if err := keys.DB.Upgrade(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.crypto = &encryption{keys: keys, store: s.store, turn: make(chan struct{}, 1)}
	for _, step := range []struct {
		master  id.Ed25519
		audited int
	}{{"", 0}, {"first", 0}, {"first", 0}, {"second", 1}, {"second", 1}} {
		if step.master != "" {
			if err := keys.PutCrossSigningKey(t.Context(), "@true:x", id.XSUsageMaster, step.master); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.noteIdentity(t.Context(), incoming("m.room.encrypted", "")); err != nil {
			t.Fatal(err)
		}
		records, err := s.store.AuditRecords(t.Context(), "@true:x", 10)
		if err != nil || len(records) != step.audited {
			t.Errorf("with identity %q: %+v, %v; want %d", step.master, records, err, step.audited)
		}
	}
}
