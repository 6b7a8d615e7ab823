package news

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// restful is how many intervals pass between two looks while no token is open.
const restful = 10

// makingTime is how long after a token was noted as made the server may not have
// it yet.
const makingTime = 2 * time.Minute

// lookedSetting is when the last look was, as Unix time in milliseconds.
const lookedSetting = "news_looked"

// Settings are what news goes by. They are read anew each time.
type Settings struct {
	Enabled       bool
	Interval      time.Duration  // from one look to the next, more than 0
	Room          id.RoomID      // hears all news; empty = none does
	Language      string         // of those who have not chosen one
	Zone          *time.Location // of dates
	EncryptedOnly bool           // rooms without encryption hear nothing
}

// Options are what a Watcher works with.
type Options struct {
	Server   Server
	Store    Store
	Chat     Chat
	Roles    Roles
	Catalog  *locale.Catalog
	Settings func() Settings
	Bot      id.UserID
	Now      func() time.Time
	Log      zerolog.Logger
}

// Watcher looks at the tokens now and then and tells what is new.
type Watcher struct {
	Options
	looked  time.Time // zero: not yet
	open    bool      // some token could still be used at the last look
	looking trouble   // logged
	telling trouble   // logged
}

// New makes a watcher; Run sets it to work.
func New(options Options) *Watcher { return &Watcher{Options: options} }

// Run looks and tells until the context ends.
func (w *Watcher) Run(ctx context.Context) {
	for {
		settings := w.Settings()
		if settings.Enabled {
			looking, telling := w.round(ctx, settings)
			w.report(ctx, looking, telling)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(settings.Interval):
		}
	}
}

// round is one look, and then telling all that waits, also while the server
// can't be asked. That the chat is not there yet is no error.
func (w *Watcher) round(ctx context.Context, s Settings) (looking, telling error) {
	defer w.barrier(&looking)
	looking, telling = w.lookIfDue(ctx, s), w.tell(ctx, s)
	if errors.Is(telling, ErrNotYet) {
		telling = nil
	}
	return looking, telling
}

// barrier makes an error of a panic, so that a mistake here does not end the
// program.
func (w *Watcher) barrier(err *error) {
	if p := recover(); p != nil {
		w.Log.Error().Bytes("stack", debug.Stack()).Msg("Looking for news panicked")
		*err = fmt.Errorf("looking for news panicked: %v", p)
	}
}

func (w *Watcher) lookIfDue(ctx context.Context, s Settings) error {
	if due, err := w.due(ctx, s); err != nil || !due {
		return err
	}
	return w.look(ctx, s)
}

// due tells whether it is time for a look: nothing of interest can happen while
// no token is open and none was made.
func (w *Watcher) due(ctx context.Context, s Settings) (bool, error) {
	if w.open || w.Now().Sub(w.looked) >= restful*s.Interval {
		return true, nil
	}
	made, err := w.Store.LastMade(ctx)
	return made.After(w.looked.Add(-makingTime)), err
}

// findings are what a look has found.
type findings struct {
	seen map[string]Seen // of the tokens where something changed
	gone []string        // tokens that concern nobody any more
	news []*Item
	uses []use // those of the news that are about uses
	open bool
	made map[string]commands.Maker // who had made the tokens when the look began
}

// look asks for all tokens and commits what is new.
func (w *Watcher) look(ctx context.Context, s Settings) error {
	now := w.Now()
	list, err := w.Server.List(ctx)
	if err != nil {
		return err
	}
	seen, err := w.Store.Seen(ctx)
	if err != nil {
		return err
	}
	made, err := w.Store.Made(ctx)
	if err != nil {
		return err
	}
	before, err := w.lastLook(ctx)
	if err != nil {
		return err
	}
	found := find(list, seen, made, now, s.Room != "")
	found.made = made
	if before.IsZero() { // nobody can have used a token before it was made
		for _, use := range found.uses {
			if at := use.item.Maker.At; before.IsZero() || at.Before(before) {
				before = at
			}
		}
	}
	if err := w.nameUsers(ctx, found.uses, before); err != nil {
		return err
	}
	if err := w.commit(ctx, found, now, s); err != nil {
		return fmt.Errorf("committing news: %w", err)
	}
	w.looked, w.open = now, found.open
	return nil
}

// lastLook is when the last look was, perhaps of an earlier process; zero if
// there was none.
func (w *Watcher) lastLook(ctx context.Context) (time.Time, error) {
	text, err := w.Store.Setting(ctx, lookedSetting)
	if err != nil || text == "" {
		return time.Time{}, err
	}
	at, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(at), err
}

// find compares the tokens with what was seen of them: those that were made
// through the bot, or all.
func find(list []tokens.Token, seen map[string]Seen, made map[string]commands.Maker, now time.Time, all bool) findings {
	found := findings{seen: make(map[string]Seen)}
	there := make(map[string]bool, len(list))
	for _, token := range list {
		maker := made[token.Text]
		if maker.User == "" && !all {
			continue
		}
		there[token.Text] = true
		before, met := seen[token.Text]
		if !met {
			before = unseen(maker)
		}
		news, after := compare(token, before, maker, now)
		if !met || after != before {
			found.seen[token.Text] = after
		}
		for _, item := range news {
			found.news = append(found.news, &item)
			if item.Kind == Used {
				found.uses = append(found.uses, use{token: token, item: &item})
			}
		}
		found.open = found.open || token.State(now) == tokens.Valid || token.Pending > 0
	}
	for token := range seen {
		// What was made through the bot may be away only for a moment.
		if _, ours := made[token]; !ours && !there[token] {
			found.gone = append(found.gone, token)
		}
	}
	return found
}

// commit keeps what was seen, who registered, and the news for those whom it
// concerns. Of a token that was deleted through the bot meanwhile nothing keeps
// the text.
func (w *Watcher) commit(ctx context.Context, found findings, now time.Time, s Settings) error {
	return w.Store.Transact(ctx, func(ctx context.Context) error {
		made, err := w.Store.Made(ctx)
		if err != nil {
			return err
		}
		deleted := func(token string) bool {
			_, before := found.made[token]
			_, now := made[token]
			return before && !now
		}
		for token, seen := range found.seen {
			if deleted(token) {
				continue
			}
			if err := w.Store.SaveSeen(ctx, token, seen); err != nil {
				return err
			}
		}
		for _, token := range found.gone {
			if err := w.Store.ForgetSeen(ctx, token); err != nil {
				return err
			}
		}
		for _, use := range found.uses {
			if deleted(use.token.Text) {
				continue
			}
			for _, user := range use.known {
				if err := w.Store.SaveUser(ctx, use.token.Text, user); err != nil {
					return err
				}
			}
		}
		for _, item := range found.news {
			if deleted(item.Token) {
				item.Token = ""
			}
			if err := w.add(ctx, *item, s); err != nil {
				return err
			}
		}
		return w.Store.PutSetting(ctx, lookedSetting, strconv.FormatInt(now.UnixMilli(), 10))
	})
}

// add keeps news for the token's maker and for the room of the admins.
func (w *Watcher) add(ctx context.Context, item Item, s Settings) error {
	if item.Maker.User != "" {
		item.To = item.Maker.User
		if err := w.Store.AddNews(ctx, item); err != nil {
			return err
		}
	}
	if s.Room == "" {
		return nil
	}
	item.To = ""
	return w.Store.AddNews(ctx, item)
}
