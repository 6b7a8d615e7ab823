package chat

import (
	"context"
	"fmt"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/store"
)

// noteIdentity records that somebody writes under another cross-signing
// identity than before. It is accepted: people reset theirs, and an admin must
// not be locked out. But who took over an account stands in log and audit.
func (s *session) noteIdentity(ctx context.Context, in store.Incoming) error {
	return s.crypto.take(ctx, func(ctx context.Context) error {
		keys, err := s.crypto.keys.GetCrossSigningKeys(ctx, in.Sender)
		if err != nil {
			return fmt.Errorf("reading the identity of %s: %w", in.Sender, err)
		}
		master := keys[id.XSUsageMaster]
		if master.Key == master.First {
			return nil
		}
		s.log.Warn().Stringer("sender", in.Sender).Msg("Somebody's cross-signing identity has changed; the new one is accepted")
		return s.store.Transact(ctx, func(ctx context.Context) error {
			if err := s.crypto.keys.ResetMasterKeyTOFU(ctx, in.Sender, master.Key); err != nil {
				return fmt.Errorf("accepting the identity of %s: %w", in.Sender, err)
			}
			return s.store.Audit(ctx, commands.AuditRecord{
				At: time.Now(), Event: in.EventID, User: in.Sender, RoomID: in.RoomID,
				Command: "identity", Outcome: "changed",
			})
		})
	})
}
