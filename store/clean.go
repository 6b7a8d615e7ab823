package store

import (
	"context"
	"fmt"
	"time"
)

// How long things are kept after they are done with.
const (
	keepEvents    = 30 * 24 * time.Hour  // event ids, so that a repeat is known
	keepQuestions = 24 * time.Hour       // they hold tokens; people have minutes to answer, the bot may be away
	keepAudit     = 365 * 24 * time.Hour // who did what
	keepKeys      = 90 * 24 * time.Hour  // keys of encrypted messages; clients change theirs weekly
	cleanStep     = 500                  // rows at a time: a long transaction would hold up intake
)

// Clean removes what is old, in small steps.
func (d *DB) Clean(ctx context.Context) error {
	old, oldAudit := d.now().Add(-keepEvents).UnixMilli(), d.now().Add(-keepAudit).UnixMilli()
	// What was begun is finished, however late.
	const ended = "created_at<$1 AND event_id NOT IN (SELECT event_id FROM inbox WHERE state='open')"
	for _, c := range []struct {
		table, key, where string
		before            any
	}{
		{"inbox", "seq", "received_at<$1 AND state<>'open'", old},
		{"outbox", "seq", "created_at<$1 AND state<>'open'", old},
		{"steps", "event_id, n", "event_id IN (SELECT event_id FROM plans WHERE " + ended + ")", old},
		{"plans", "event_id", ended, old},
		{"questions", "question_id", "asked_on<$1", d.now().Add(-keepQuestions).UnixMilli()},
		{"key_waits", "room_id, session_id", "since<$1", old},
		{"set_aside", "seq", "received_at<$1", old},
		{"news", "seq", "created_at<$1", old},
		// Of tokens that were deleted elsewhere, or while a look was being committed.
		{"newcomers", "token, user_id", "at<$1 AND token NOT IN (SELECT token FROM made UNION SELECT token FROM watched)", old},
		{"audit", "seq", "at<$1", oldAudit},
		{"crypto_megolm_inbound_session", "session_id", "received_at<$1", d.now().Add(-keepKeys).UTC()},
	} {
		// mautrix's tables are there once encryption was on.
		if there, err := d.db.TableExists(ctx, c.table); err != nil {
			return fmt.Errorf("cleaning %s: %w", c.table, err)
		} else if !there {
			continue
		}
		for {
			result, err := d.db.Exec(ctx, `DELETE FROM `+c.table+` WHERE (`+c.key+`) IN (
				SELECT `+c.key+` FROM `+c.table+` WHERE `+c.where+` LIMIT $2)`, c.before, cleanStep)
			if err != nil {
				return fmt.Errorf("cleaning %s: %w", c.table, err)
			}
			if n, err := result.RowsAffected(); err != nil || n < cleanStep {
				break
			}
		}
	}
	return d.cleanMessageIndexes(ctx)
}

// cleanMessageIndexes removes what guards the messages of removed keys against
// being replayed: without the key they can't be decrypted at all.
func (d *DB) cleanMessageIndexes(ctx context.Context) error {
	if there, err := d.db.TableExists(ctx, "crypto_message_index"); err != nil || !there {
		return err
	}
	return d.exec(ctx, "cleaning message indexes", `DELETE FROM crypto_message_index
		WHERE session_id NOT IN (SELECT session_id FROM crypto_megolm_inbound_session)`)
}
