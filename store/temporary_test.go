package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/rs/zerolog"
)

func TestADatabaseThatIsBusyPasses(t *testing.T) {
	uri := freshURI(t, "sqlite")
	db, other := open(t, uri), open(t, uri)
	must(t, db.Migrate(t.Context()))
	_, err := db.db.Exec(t.Context(), "PRAGMA busy_timeout=0")
	must(t, err)
	err = other.Transact(t.Context(), func(ctx context.Context) error {
		db.db.RawDB.SetMaxOpenConns(1) // the one of the PRAGMA
		return db.Writable(context.WithoutCancel(t.Context()))
	})
	if err == nil || !Temporary(err) {
		t.Errorf("a locked database: %v, want a temporary error", err)
	}
}

func TestADatabaseThatIsFullPasses(t *testing.T) {
	db := open(t, freshURI(t, "sqlite"))
	must(t, db.Migrate(t.Context()))
	db.db.RawDB.SetMaxOpenConns(1)
	_, err := db.db.Exec(t.Context(), "PRAGMA max_page_count=1") // as many as there are
	must(t, err)
	for range 100 {
		if err = db.Accept(t.Context(), "1", nil, [][]byte{make([]byte, 4096)}); err != nil {
			break
		}
	}
	if err == nil || !Temporary(err) {
		t.Errorf("a full database: %v, want a temporary error", err)
	}
}

func TestADatabaseThatIsNotThereMayComeBack(t *testing.T) {
	for _, uri := range []string{
		"postgres://bot:x@127.0.0.1:1/bot",
		"sqlite:" + filepath.Join(t.TempDir(), "bot.db"),
	} {
		db, err := Open(uri, zerolog.Nop())
		must(t, err)
		t.Cleanup(func() { _ = db.Close() })
		if db.path != "" {
			must(t, os.RemoveAll(filepath.Dir(db.path)))
		}
		if err := db.Writable(t.Context()); err == nil || !Temporary(err) {
			t.Errorf("%s: %v, want a temporary error", uri, err)
		}
	}
}

func TestWhatWillNeverSucceedIsNotTemporary(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		for _, statement := range []string{
			"nonsense", "INSERT INTO settings (name, value) VALUES (NULL, NULL)", "SELECT * FROM nowhere",
		} {
			if _, err := db.db.Exec(t.Context(), statement); err == nil || Temporary(err) {
				t.Errorf("%s: %v", statement, err)
			}
		}
	})
	for _, err := range []error{nil, errors.New("a mistake of our own"), ErrNewer, ErrInUse, &pgconn.PgError{}} {
		if Temporary(err) {
			t.Errorf("%v counts as temporary", err)
		}
	}
}

func TestAConnectionThatTheServerEndsPasses(t *testing.T) {
	if os.Getenv(postgresVariable) == "" {
		t.Skip(postgresVariable + " is not set")
	}
	uri := freshURI(t, "postgres")
	db, other := open(t, uri), open(t, uri)
	must(t, db.Migrate(t.Context()))
	err := db.Transact(t.Context(), func(ctx context.Context) error {
		_, err := other.db.Exec(context.WithoutCancel(t.Context()),
			"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname=current_database() AND pid<>pg_backend_pid()")
		must(t, err)
		return db.PutSetting(ctx, "x", "y")
	})
	if err == nil || !Temporary(err) {
		t.Errorf("a terminated connection: %v, want a temporary error", err)
	}
}
