package lab

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/crypto"
	"maunium.net/go/mautrix/crypto/cryptohelper"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
	_ "modernc.org/sqlite" // database/sql driver "sqlite"
)

// secrecy is the end-to-end encryption of a person's client.
type secrecy struct {
	helper *cryptohelper.CryptoHelper
	early  []*event.Event // came before their keys
	unread []error        // why others could not be decrypted
}

// Encrypt gives the person's client end-to-end encryption. The chats that it
// starts from then on are encrypted, as every client's are.
func (l *Lab) Encrypt(ctx context.Context, p *Person) error {
	path := filepath.Join(l.dir, "keys-"+p.client.DeviceID.String()+".db")
	raw, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)&_txlock=immediate")
	if err != nil {
		return fmt.Errorf("opening the keys of %s: %w", p.UserID, err)
	}
	l.onClose(func() { _ = raw.Close() })
	db, err := dbutil.NewWithDB(raw, "sqlite")
	if err != nil {
		return fmt.Errorf("opening the keys of %s: %w", p.UserID, err)
	}
	helper, err := cryptohelper.NewCryptoHelper(p.client, []byte("only a test"), db)
	if err == nil {
		err = helper.Init(ctx)
	}
	if err != nil {
		return fmt.Errorf("giving %s encryption: %w", p.UserID, err)
	}
	p.client.Crypto = helper
	p.secrecy = &secrecy{helper: helper}
	return nil
}

// encrypted asks for encryption in a new room, if the person's client can.
func (p *Person) encrypted(request *mautrix.ReqCreateRoom) *mautrix.ReqCreateRoom {
	if p.secrecy != nil {
		request.InitialState = append(request.InitialState, &event.Event{
			Type:    event.StateEncryption,
			Content: event.Content{Parsed: &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}},
		})
	}
	return request
}

// keys takes in what a sync brought for the encryption.
func (s *secrecy) keys(ctx context.Context, news *mautrix.RespSync, since string) {
	s.helper.Machine().ProcessSyncResponse(ctx, news, since)
}

// follow keeps members and settings of a room in mind: who gets its keys
// depends on them.
func (s *secrecy) follow(ctx context.Context, client *mautrix.Client, evt *event.Event) {
	mautrix.UpdateStateStore(ctx, client.StateStore, evt)
	if evt.Type == event.StateMember {
		s.helper.Machine().HandleMemberEvent(ctx, evt)
	}
}

// missing names the events that could not be read.
func (s *secrecy) missing() error {
	missing := slices.Clone(s.unread)
	for _, evt := range s.early {
		missing = append(missing, fmt.Errorf("%s from %s has no key yet", evt.ID, evt.Sender))
	}
	return errors.Join(missing...)
}

// open decrypts an event. It returns nil for one whose key has not come yet:
// that one is kept for the next sync.
func (s *secrecy) open(ctx context.Context, evt *event.Event) *event.Event {
	if evt.Content.Parsed == nil && evt.Content.ParseRaw(evt.Type) != nil {
		return evt
	}
	plain, err := s.helper.Decrypt(ctx, evt)
	switch {
	case err == nil:
		return plain
	case errors.Is(err, crypto.ErrNoSessionFound):
		s.early = append(s.early, evt)
		return nil
	}
	s.unread = append(s.unread, fmt.Errorf("%s from %s: %w", evt.ID, evt.Sender, err))
	return evt
}
