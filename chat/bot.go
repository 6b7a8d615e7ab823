// Package chat is the bot's life in rooms: it handles the events of the inbox
// in order, follows memberships and encryption, and delivers the outbox.
package chat

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/event/cmdschema"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/appservice"
	"matrix-registration-bot/commands"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/store"
)

// Commands answers what people say. See package commands.
type Commands interface {
	Handle(ctx context.Context, m commands.Message) (commands.Finish, error)
	Decide(ctx context.Context, user id.UserID) (access.Decision, error)
	Descriptions(ctx context.Context, user id.UserID) ([]*cmdschema.EventContent, error)
}

// Config is what the bot is told at start.
type Config struct {
	Homeserver   string    // base URL of the client-server API
	UserID       id.UserID // the bot
	Displayname  string
	Avatar       id.ContentURIString // may be empty
	AppserviceID string
	ASToken      string
	Encryption   Encryption
	// DescribeCommands tells clients which commands there are, and takes those that
	// they have taken apart (MSC4391).
	DescribeCommands bool

	Store    *store.DB
	Commands Commands
	Language func() locale.Language // asked at each use: it can be reloaded
	Admins   func() []string        // user ids to send people to who have no role
	HTTP     *http.Client
	Observer Observer // nil = nobody counts
	Log      zerolog.Logger
}

// Encryption says how the bot treats encrypted rooms.
type Encryption struct {
	Enabled   bool
	PickleKey string // protects the keys in the database
	// CrossSigned admits only commands from devices that their owner signed.
	CrossSigned bool
}

// Bot is the bot in its rooms. One Run at a time.
type Bot struct {
	cfg    Config
	log    zerolog.Logger
	status status

	mu      sync.Mutex
	current *session // nil while the bot is starting or stopped
}

// New makes a bot; Run brings it to life.
func New(cfg Config) *Bot {
	if cfg.Observer == nil {
		cfg.Observer = unobserved{}
	}
	b := &Bot{cfg: cfg, log: cfg.Log}
	b.status.homeserver("starting")
	b.status.wayBack("not tried yet")
	return b
}

// errStartOver ends a session whose view of the world may be wrong (a lost
// device, a crypto commit that failed): the next one begins from the database
// and the homeserver.
var errStartOver = errors.New("starting over")

// ErrWrongPickleKey means that the keys in the database were written with
// another encryption.pickle_key.
var ErrWrongPickleKey = errors.New("encryption.pickle_key does not fit the keys in the database")

// Run works until the context ends, then finishes what is under way (see
// stopTime). It waits for a homeserver that is not there yet, and returns an
// error only for what waiting can't mend, such as ErrWrongPickleKey.
func (b *Bot) Run(ctx context.Context) error {
	for failures := 0; ; failures++ {
		began := time.Now()
		err := newSession(b).run(ctx)
		if time.Since(began) > maxPause {
			failures = 0
		}
		if ctx.Err() != nil {
			return nil
		} else if errors.Is(err, ErrWrongPickleKey) {
			return err
		}
		b.log.Warn().Err(err).Msg("Starting over with the chat")
		b.cfg.Observer.StartedOver()
		b.status.homeserver("starting over, see the log")
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause(failures, maxPause, err)):
		}
	}
}

// Wants tells whether an event is of a kind that the bot handles; others need
// not be kept.
func (b *Bot) Wants(e appservice.Event) bool {
	switch e.Type {
	case event.StateMember.Type:
		return e.StateKey != nil
	case event.StateEncryption.Type, event.StateHistoryVisibility.Type, event.StateTombstone.Type:
		return e.StateKey != nil && *e.StateKey == ""
	case event.EventMessage.Type, event.EventEncrypted.Type, event.EventReaction.Type:
		return e.StateKey == nil && e.Sender != b.cfg.UserID.String()
	}
	return false
}

// Wake tells the bot that the inbox has something new for these rooms.
func (b *Bot) Wake(rooms ...id.RoomID) {
	if s := b.session(); s != nil {
		for _, room := range rooms {
			s.inbox.wake(room)
		}
	}
}

// Ping makes the homeserver send everything that it holds back. Call it
// whenever intake works again: nothing else ends the homeserver's waiting
// (MSC2659, Synapse waits up to 512 s).
func (b *Bot) Ping() {
	if s := b.session(); s != nil {
		s.askPing()
	}
}

// Abort ends what is under way at once, because the bot has no right to go on.
// What it broke off is taken up by whoever works with the database next.
func (b *Bot) Abort() {
	if s := b.session(); s != nil {
		s.fail(errStartOver)
	}
}

// Working tells whether the bot has met the homeserver and made its device, and
// answers people.
func (b *Bot) Working() bool { return b.session() != nil }

// Fingerprint tells how people recognise the bot's device. ok is false without
// encryption, or while the bot is starting.
func (b *Bot) Fingerprint() (f Fingerprint, ok bool) {
	s := b.session()
	if s == nil || s.crypto == nil {
		return f, false
	}
	return s.crypto.fingerprint(), true
}

func (b *Bot) session() *session {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current
}

func (b *Bot) setSession(s *session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current = s
}

// text writes something in the bot's language.
func (b *Bot) text(key string, args locale.Args) locale.Text {
	return b.cfg.Language().Text(key, args)
}

// errPanic is a mistake in a program, ours or mautrix's.
var errPanic = errors.New("panic")

// safely makes an error of a panic.
func safely(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	return do()
}
