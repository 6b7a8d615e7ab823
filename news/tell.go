package news

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
)

// Why news can't be told in the room of the admins.
var (
	errNoRoom    = errors.New("the bot is not in the room of notify.room: invite it there")
	errEncrypted = errors.New("the room of notify.room is encrypted, and encryption is off: set encryption.enabled, or name another room")
	errPlain     = errors.New("the room of notify.room is not encrypted, and encryption is required: encrypt it, or name another room")
)

// tell sends the news that waits to where its recipients are.
func (w *Watcher) tell(ctx context.Context, s Settings) error {
	news, err := w.Store.News(ctx)
	if err != nil || len(news) == 0 {
		return err
	}
	there, err := w.Chat.Rooms(ctx)
	if err != nil {
		return fmt.Errorf("looking for rooms: %w", err)
	}
	rooms := slices.DeleteFunc(slices.Clone(there), func(room Room) bool { return s.unfit(room) != nil })
	var waiting error
	for to, items := range byRecipient(news) {
		listener, err := w.listener(ctx, to, s)
		if err != nil {
			return err
		}
		if !listener.listens {
			if err := w.drop(ctx, items); err != nil {
				return err
			}
			continue
		}
		placed := listener.places(rooms, items, w.Bot)
		for place, items := range placed {
			if err := w.send(ctx, listener, place, items, s); err != nil {
				return err
			}
		}
		if to == "" && len(placed) == 0 {
			waiting = s.noRoom(there)
		}
	}
	return waiting
}

// noRoom says why nothing can be told in the room of the admins.
func (s Settings) noRoom(rooms []Room) error {
	for _, room := range rooms {
		if room.ID == s.Room {
			return s.unfit(room)
		}
	}
	return errNoRoom
}

// unfit says why nothing can be told in a room; nil if something can.
func (s Settings) unfit(room Room) error {
	switch {
	case room.Mute:
		return errEncrypted
	case s.EncryptedOnly && !room.Encrypted:
		return errPlain
	}
	return nil
}

func byRecipient(news []Item) map[id.UserID][]Item {
	groups := make(map[id.UserID][]Item)
	for _, item := range news {
		groups[item.To] = append(groups[item.To], item)
	}
	return groups
}

// listener is a person, or the room of the admins.
type listener struct {
	user     id.UserID // empty: the room
	room     id.RoomID // the room, if it is that
	listens  bool
	language locale.Language
}

// listener finds out whether and how somebody wants to hear news.
func (w *Watcher) listener(ctx context.Context, user id.UserID, s Settings) (listener, error) {
	l := listener{user: user, language: w.Catalog.Language(s.Language)}
	if user == "" {
		l.room, l.listens = s.Room, s.Room != ""
		return l, nil
	}
	person, err := w.Store.Person(ctx, user)
	if err != nil {
		return l, err
	}
	if person.Language != "" {
		l.language = w.Catalog.Language(person.Language)
	}
	decision, err := w.Roles.Decide(ctx, user)
	l.listens = person.Notify && decision.Role > access.None
	return l, err
}

// place is a room where news is told.
type place struct {
	room  id.RoomID
	codes bool // tokens may be shown there
}

// places says where news goes. What is not in it has to wait: the bot opens no
// rooms.
func (l listener) places(rooms []Room, news []Item, bot id.UserID) map[place][]Item {
	placed := make(map[place][]Item)
	for _, item := range news {
		if p, ok := l.place(rooms, item, bot); ok {
			placed[p] = append(placed[p], item)
		}
	}
	return placed
}

// place is the person's direct chat, encrypted if possible; else the room where
// the token was made, without the token.
func (l listener) place(rooms []Room, item Item, bot id.UserID) (p place, ok bool) {
	rank := 0
	for _, room := range rooms {
		if better := l.rank(room, item, bot); better > rank {
			rank, p, ok = better, place{room: room.ID, codes: better > 1}, true
		}
	}
	return p, ok
}

// rank says how well a room suits news: 0 = not at all, 1 = without tokens.
func (l listener) rank(room Room, item Item, bot id.UserID) int {
	madeHere := room.ID == item.Maker.RoomID
	switch {
	case l.user == "" && room.ID == l.room && room.Encrypted:
		return 2
	case l.user == "" && room.ID == l.room:
		return 1
	case l.user == "", !slices.Contains(room.People, l.user), !slices.Contains(room.People, bot):
		return 0
	case len(room.People) == 2 && room.Encrypted && madeHere:
		return 5
	case len(room.People) == 2 && room.Encrypted:
		return 4
	case len(room.People) == 2 && madeHere:
		return 3
	case len(room.People) == 2:
		return 2
	case madeHere:
		return 1
	}
	return 0
}

// send moves news from the database to a room, in as many messages as it takes.
func (w *Watcher) send(ctx context.Context, l listener, p place, news []Item, s Settings) error {
	now := w.Now().In(s.Zone)
	for len(news) > 0 {
		n := l.fit(news, p.codes, now)
		if err := w.sendOne(ctx, l, p, news[:n], now); err != nil {
			return err
		}
		news = news[n:]
	}
	return nil
}

// sendOne moves news from the database to a room, in one message.
func (w *Watcher) sendOne(ctx context.Context, l listener, p place, news []Item, now time.Time) error {
	err := w.Store.Transact(ctx, func(ctx context.Context) error {
		for _, item := range news {
			if err := w.Store.RemoveNews(ctx, item); err != nil {
				return err
			}
		}
		return w.Chat.Tell(ctx, p.room, l.user, l.write(news, p.codes, now))
	})
	if err != nil {
		return fmt.Errorf("telling news: %w", err)
	}
	w.Chat.Deliver(p.room)
	return nil
}

// drop removes news that nobody wants.
func (w *Watcher) drop(ctx context.Context, news []Item) error {
	return w.Store.Transact(ctx, func(ctx context.Context) error {
		for _, item := range news {
			if err := w.Store.RemoveNews(ctx, item); err != nil {
				return err
			}
		}
		return nil
	})
}
