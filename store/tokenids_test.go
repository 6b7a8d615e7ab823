package store

import "testing"

func TestTheIDOfATokenIsKeptAsLongAsTheToken(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		wantID := func(want string) {
			t.Helper()
			id, err := db.TokenID(t.Context(), "abc")
			must(t, err)
			if id != want {
				t.Errorf("the id is %q, want %q", id, want)
			}
		}
		wantID("")
		must(t, db.SaveTokenID(t.Context(), "abc", "1"))
		must(t, db.SaveTokenID(t.Context(), "ABC", "2"))
		wantID("1")
		must(t, db.SaveTokenID(t.Context(), "abc", "3"))
		wantID("3")
		must(t, db.Forget(t.Context(), "abc"))
		wantID("")
	})
}
