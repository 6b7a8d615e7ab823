package store

import (
	"context"
	"testing"
)

func TestNothingMoreIsDoneAfterAStatementThatFailed(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		must(t, db.PutSetting(t.Context(), "taken", ""))
		fail := "INSERT INTO settings (name, value) VALUES ('taken', '')"
		if db.kind == sqlite {
			fail = "INSERT OR ROLLBACK INTO settings (name, value) VALUES ('taken', '')" // as a full disk does it
		}
		err := db.Transact(t.Context(), func(ctx context.Context) error {
			must(t, db.PutSetting(ctx, "before", "1"))
			_ = db.exec(ctx, "failing", fail)
			if db.PutSetting(ctx, "after", "1") == nil {
				t.Error("a statement was done")
			}
			if _, err := db.Setting(ctx, "taken"); err == nil {
				t.Error("a row was read")
			}
			return nil
		})
		if err == nil {
			t.Error("the transaction was committed")
		}
		for _, name := range []string{"before", "after"} {
			value, err := db.Setting(t.Context(), name)
			must(t, err)
			if value != "" {
				t.Errorf("what was written %s it was committed", name)
			}
		}
	})
}
