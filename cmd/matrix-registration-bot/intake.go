//go:build goolm

package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/appservice"
	"matrix-registration-bot/chat"
	"matrix-registration-bot/store"
)

const (
	intakeRetry  = 250 * time.Millisecond // between two tries to commit a transaction
	intakeWatch  = time.Second            // between two looks at a broken database
	writableFor  = 2 * time.Second        // how long an answer of /ready may be old
	writableTime = 4 * time.Second
)

var errNotHeld = errors.New("this process does not hold the database")

// intake takes what the listener accepted to the database and wakes the chat.
// It waits while the database is away, and has the homeserver pinged when it
// is back, because that ends the homeserver's waiting.
type intake struct {
	db     *store.DB
	bot    *chat.Bot
	log    zerolog.Logger
	held   atomic.Bool // the lock on the database
	broken atomic.Bool // a commit failed and none has succeeded since

	mu      sync.Mutex
	checked time.Time // when the database was last tried, for writable
	result  error
}

func newIntake(db *store.DB, bot *chat.Bot, log zerolog.Logger) *intake {
	return &intake{db: db, bot: bot, log: log}
}

func (i *intake) open()  { i.held.Store(true) }
func (i *intake) close() { i.held.Store(false) }

// Accept implements appservice.Inbox. It tries until the context ends.
func (i *intake) Accept(ctx context.Context, transaction string, events []appservice.Event, unreadable [][]byte) error {
	for {
		err := errNotHeld
		if i.held.Load() {
			err = i.db.Accept(ctx, transaction, events, unreadable)
		}
		if err == nil {
			break
		}
		if !i.broken.Swap(true) {
			i.log.Error().Err(err).Msg("A transaction can't be committed; trying again")
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(intakeRetry):
		}
	}
	for _, event := range events {
		i.bot.Wake(id.RoomID(event.RoomID))
	}
	return nil
}

// works tells whether commits go through, as far as is known without a try.
func (i *intake) works() bool { return i.held.Load() && !i.broken.Load() }

// watch sees a broken database come back.
func (i *intake) watch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(intakeWatch):
		}
		if !i.broken.Load() || !i.held.Load() || i.writable(ctx) != nil {
			continue
		}
		i.broken.Store(false)
		i.log.Info().Msg("The database can be written again")
		i.bot.Ping()
	}
}

// writable tells whether a commit goes through, from a recent try.
func (i *intake) writable(ctx context.Context) error {
	if !i.held.Load() {
		return errNotHeld
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if time.Since(i.checked) > writableFor {
		// A caller who hangs up says nothing about the database.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writableTime)
		defer cancel()
		i.result, i.checked = i.db.Writable(ctx), time.Now()
		if i.result != nil {
			i.broken.Store(true)
		}
	}
	return i.result
}
