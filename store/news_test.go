package store

import (
	"reflect"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/news"
)

func TestWhatWasSeenOfATokenIsKept(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		want := map[string]news.Seen{
			"abc": {Completed: 3, Ended: true},
			"xyz": {Completed: 1, Reminded: time.UnixMilli(5000)},
		}
		must(t, db.SaveSeen(t.Context(), "abc", news.Seen{Completed: 2, Reminded: time.UnixMilli(1)}))
		must(t, db.SaveSeen(t.Context(), "gone", news.Seen{}))
		for token, seen := range want {
			must(t, db.SaveSeen(t.Context(), token, seen))
		}
		must(t, db.ForgetSeen(t.Context(), "gone"))
		got, err := db.Seen(t.Context())
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("seen %+v, want %+v", got, want)
		}
	})
}

// What happened before the bot had news is none.
func TestTokensOfFormerVersionsAreNotLookedAtYet(t *testing.T) {
	for _, engine := range engines() {
		t.Run(engine, func(t *testing.T) {
			db := open(t, freshURI(t, engine))
			all := migrations()
			db.db.UpgradeTable = all[:3]
			must(t, db.Migrate(t.Context()))
			must(t, db.SaveMade(t.Context(), "abc", commands.Maker{User: "@u:x"}))
			db.db.UpgradeTable = all
			must(t, db.Migrate(t.Context()))
			got, err := db.Seen(t.Context())
			must(t, err)
			if want := (news.Seen{Completed: news.NotLooked}); len(got) != 1 || got["abc"] != want {
				t.Errorf("seen %+v, want %+v", got, want)
			}
		})
	}
}

func TestNewsWaitsInOrderUntilItIsRemoved(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		left, ends := 2, time.UnixMilli(9000).UTC()
		want := []news.Item{
			{
				To: "@u:x", Token: "abc", Kind: news.Used, Times: 2, Users: []id.UserID{"@a:x", "@b:x"}, Left: &left, Expires: &ends,
				Maker: commands.Maker{User: "@u:x", RoomID: "!a:x", At: time.UnixMilli(1).UTC(), Recipient: "Großmutter", Note: "\u0000"},
			},
			{Token: "abc", Kind: news.Endless},
		}
		must(t, db.AddNews(t.Context(), news.Item{To: "@u:x", Token: "first"}))
		for _, item := range want {
			must(t, db.AddNews(t.Context(), item))
		}
		got, err := db.News(t.Context())
		must(t, err)
		must(t, db.RemoveNews(t.Context(), got[0]))
		got, err = db.News(t.Context())
		must(t, err)
		for i := range got {
			if got[i].Seq == 0 {
				t.Errorf("news %d has no number", i)
			}
			got[i].Seq = 0
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("news %+v, want %+v", got, want)
		}
	})
}

func TestNewsForgetsTheTextOfATokenThatIsGone(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		must(t, db.SaveSeen(t.Context(), "abc", news.Seen{}))
		must(t, db.AddNews(t.Context(), news.Item{To: "@u:x", Token: "abc", Kind: news.Used}))
		must(t, db.AddNews(t.Context(), news.Item{To: "@u:x", Token: "other", Kind: news.Used}))
		must(t, db.Forget(t.Context(), "abc"))
		got, err := db.News(t.Context())
		must(t, err)
		if len(got) != 2 || got[0].Token != "" || got[0].To != "@u:x" || got[1].Token != "other" {
			t.Errorf("news %+v", got)
		}
		if seen, err := db.Seen(t.Context()); err != nil || len(seen) != 0 {
			t.Errorf("seen %+v, %v", seen, err)
		}
	})
}

func TestNewsThatFoundNobodyIsCleanedUp(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		now := time.Now()
		db.now = func() time.Time { return now }
		must(t, db.AddNews(t.Context(), news.Item{Token: "old"}))
		now = now.Add(keepEvents + time.Hour)
		must(t, db.AddNews(t.Context(), news.Item{Token: "new"}))
		must(t, db.Clean(t.Context()))
		got, err := db.News(t.Context())
		must(t, err)
		if len(got) != 1 || got[0].Token != "new" {
			t.Errorf("news %+v", got)
		}
	})
}

func TestNewcomersOfTokensThatNothingKnowsAnyMoreAreCleanedUp(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		long := time.Now().Add(-keepEvents - time.Hour)
		for token, at := range map[string]time.Time{"made": long, "watched": long, "gone": long, "just gone": time.Now()} {
			must(t, db.SaveUser(t.Context(), token, commands.User{ID: "@u:x", At: at}))
		}
		must(t, db.SaveMade(t.Context(), "made", commands.Maker{User: "@u:x"}))
		must(t, db.SaveSeen(t.Context(), "watched", news.Seen{}))
		must(t, db.Clean(t.Context()))
		for token, want := range map[string]int{"made": 1, "watched": 1, "gone": 0, "just gone": 1} {
			if users, err := db.Users(t.Context(), token); err != nil || len(users) != want {
				t.Errorf("of the token %s: %d newcomers, %v, want %d", token, len(users), err, want)
			}
		}
	})
}

func TestTheNewestTokenAndNewcomersAreFound(t *testing.T) {
	onEachEngine(t, func(t *testing.T, db *DB) {
		if at, err := db.LastMade(t.Context()); err != nil || at.After(time.UnixMilli(0)) {
			t.Errorf("with no token the newest is of %s, %v", at, err)
		}
		for token, ms := range map[string]int64{"a": 1000, "b": 3000, "c": 2000} {
			must(t, db.SaveMade(t.Context(), token, commands.Maker{User: "@u:x", At: time.UnixMilli(ms)}))
			must(t, db.SaveUser(t.Context(), token, commands.User{ID: id.UserID("@" + token + ":x"), At: time.UnixMilli(ms)}))
		}
		if at, err := db.LastMade(t.Context()); err != nil || at.UnixMilli() != 3000 {
			t.Errorf("the newest is of %s, %v", at, err)
		}
		got, err := db.NewcomersSince(t.Context(), time.UnixMilli(3000))
		must(t, err)
		if !reflect.DeepEqual(got, []id.UserID{"@b:x"}) {
			t.Errorf("newcomers %v", got)
		}
	})
}
