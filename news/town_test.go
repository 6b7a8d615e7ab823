package news_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/commands"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/news"
	"matrix-registration-bot/store"
	"matrix-registration-bot/tokens"
)

const (
	bot    = id.UserID("@bot:x")
	anna   = id.UserID("@anna:x")
	direct = id.RoomID("!direct:x")
	admins = id.RoomID("!admins:x")
)

// town is a server with people, and a watcher with a database of its own.
type town struct {
	*testing.T
	db       *store.DB
	watcher  *news.Watcher
	settings news.Settings
	log      strings.Builder
	now      time.Time

	tokens    map[string]*tokens.Token
	accounts  []tokens.Account // newest first
	last      map[string]string
	kind      string
	away      error  // what the server answers
	broken    string // what asking it panics with
	meanwhile func() // what happens while it is asked for accounts
	lists     int    // how often it was asked for the tokens

	rooms     []news.Room
	notYet    bool // the chat is not there
	told      []told
	deaf      error // what the chat answers
	deafAfter int   // to all but so many messages
	none      map[id.UserID]bool
	spoiled   bool // the database fails in the middle of a look
}

type told struct {
	room    id.RoomID
	mention id.UserID
	text    locale.Text
}

// newTown has a direct chat of Anna and the bot, and one look behind it.
func newTown(t *testing.T) *town {
	t.Helper()
	db, err := store.Open("sqlite:"+filepath.Join(t.TempDir(), "bot.db"), zerolog.Nop())
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	must(t, db.Migrate(t.Context()))
	w := &town{
		T: t, db: db, now: time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC), kind: tokens.KindSynapse,
		tokens: map[string]*tokens.Token{}, last: map[string]string{}, none: map[id.UserID]bool{},
		settings: news.Settings{Enabled: true, Interval: time.Minute, Language: "en", Zone: time.UTC},
		rooms:    []news.Room{{ID: direct, People: []id.UserID{anna, bot}, Encrypted: true}},
	}
	w.restart()
	w.look()
	return w
}

// restart begins with the same database.
func (w *town) restart() {
	w.Helper()
	catalog, err := locale.Load()
	must(w, err)
	w.watcher = news.New(news.Options{
		Server: server{w}, Store: failing{w.db, w}, Chat: chat{w}, Roles: w, Catalog: catalog, Bot: bot,
		Settings: func() news.Settings { return w.settings },
		Now:      func() time.Time { return w.now },
		Log:      zerolog.New(&w.log),
	})
}

// look lets a minute pass, and the watcher take its turn.
func (w *town) look() {
	w.Helper()
	w.now = w.now.Add(time.Minute)
	must(w, w.watcher.Round(w.Context()))
}

// runs lets the watcher run for a while.
func (w *town) runs(d time.Duration) {
	ctx, end := context.WithTimeout(w.Context(), d-time.Second)
	defer end()
	w.watcher.Run(ctx)
}

// make makes a token through the bot.
func (w *town) make(token tokens.Token, maker commands.Maker) {
	w.Helper()
	if maker.User == "" {
		maker.User = anna
	}
	if maker.At.IsZero() {
		maker.At = w.now
	}
	must(w, w.db.SaveMade(w.Context(), token.Text, maker))
	w.tokens[token.Text] = &token
}

// register makes an account with a token.
func (w *town) register(user id.UserID, token string) {
	w.now = w.now.Add(time.Second)
	w.account(user)
	w.tokens[token].Completed++
	at := w.now
	w.tokens[token].LastUsed = &at
	w.last[token] = user.Localpart()
}

// account makes an account in another way.
func (w *town) account(user id.UserID) {
	w.accounts = append([]tokens.Account{{UserID: user.String(), Made: w.now.Truncate(time.Second)}}, w.accounts...)
}

// hears returns all that was told since the last call, which must be n messages.
func (w *town) hears(n int) []told {
	w.Helper()
	heard := w.told
	w.told = nil
	if len(heard) != n {
		w.Fatalf("heard %d messages, want %d: %+v", len(heard), n, heard)
	}
	return heard
}

// hear returns the only message that was told since the last call, which must
// say all of these words.
func (w *town) hear(words ...string) told {
	w.Helper()
	heard := w.hears(1)[0]
	for _, word := range words {
		if !strings.Contains(heard.text.Plain, word) {
			w.Errorf("%q is not in:\n%s", word, heard.text.Plain)
		}
	}
	return heard
}

func (t told) without(w *town, words ...string) {
	w.Helper()
	for _, word := range words {
		if strings.Contains(t.text.Plain, word) {
			w.Errorf("%q should not be in:\n%s", word, t.text.Plain)
		}
	}
}

func (w *town) Decide(_ context.Context, user id.UserID) (access.Decision, error) {
	if w.none[user] {
		return access.Decision{Role: access.None}, nil
	}
	return access.Decision{Role: access.Inviter}, nil
}

type server struct{ *town }

func (s server) List(context.Context) (list []tokens.Token, err error) {
	s.lists++
	if s.broken != "" {
		panic(s.broken)
	}
	for _, token := range s.tokens {
		list = append(list, *token)
	}
	return list, s.away
}

func (s server) NewAccounts(_ context.Context, since time.Time) (accounts []tokens.Account, err error) {
	if s.meanwhile != nil {
		s.meanwhile()
	}
	if s.kind != tokens.KindSynapse {
		return nil, tokens.ErrUnable
	}
	for _, account := range s.accounts {
		if !account.Made.Before(since.Truncate(time.Second)) {
			accounts = append(accounts, account)
		}
	}
	return accounts, nil
}

func (s server) LastUser(_ context.Context, token tokens.Token) (string, error) {
	if s.kind != tokens.KindMAS {
		return "", tokens.ErrUnable
	}
	return s.last[token.Text], nil
}

type chat struct{ *town }

func (c chat) Rooms(context.Context) ([]news.Room, error) {
	if c.notYet {
		return nil, news.ErrNotYet
	}
	return append([]news.Room{}, c.rooms...), nil
}

func (c chat) Tell(_ context.Context, room id.RoomID, person id.UserID, text locale.Text) error {
	if c.deaf != nil && len(c.town.told) >= c.deafAfter {
		return c.deaf
	}
	c.told = append(c.told, told{room, person, text})
	return nil
}

func (c chat) Deliver(id.RoomID) {}

// failing is the database, which can fail in the middle of a look.
type failing struct {
	*store.DB
	town *town
}

func (f failing) AddNews(ctx context.Context, item news.Item) error {
	if f.town.spoiled {
		return errors.New("spoiled")
	}
	return f.DB.AddNews(ctx, item)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func ptr[T any](v T) *T { return &v }
