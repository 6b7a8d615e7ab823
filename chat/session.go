package chat

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/exsync"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
	"maunium.net/go/mautrix/sqlstatestore"

	"matrix-registration-bot/store"
)

const (
	// stopTime is how long what is under way may take after a stop was asked
	// for. Docker kills after 10 s.
	stopTime = 8 * time.Second
	// cleanEvery is how often old rows are removed.
	cleanEvery = time.Hour
	// wakeEvery is how often the database is searched for open work.
	wakeEvery = 30 * time.Second
)

// session is one life of the bot: from meeting the homeserver until the
// program stops or something makes it start over.
type session struct {
	bot    *Bot
	cfg    Config
	store  *store.DB
	log    zerolog.Logger
	client *mautrix.Client // speaks as the bot's device
	state  *sqlstatestore.SQLStateStore
	crypto *encryption // nil without encryption

	appservice *mautrix.Client // speaks with the as_token, for what only an appservice may do
	loggedIn   bool            // the device was made by a log-in, see logIn

	rooms      roomTurns // for reading or changing a room's members
	describing roomTurns // for comparing and changing a room's descriptions
	described  *exsync.Map[id.RoomID, descriptions]

	inbox  *lanes
	outbox *lanes
	pings  chan struct{} // somebody asked for a ping
	pinged chan struct{} // one got through
	failed chan error    // the first entry ends the session
	tasks  sync.WaitGroup
}

func newSession(b *Bot) *session {
	s := &session{
		bot: b, cfg: b.cfg, rooms: newRoomTurns(), store: b.cfg.Store, log: b.log,
		describing: newRoomTurns(), described: exsync.NewMap[id.RoomID, descriptions](),
		pings: make(chan struct{}, 1), pinged: make(chan struct{}, 1), failed: make(chan error, 1),
	}
	s.inbox = newLanes(s.handleNext)
	s.outbox = newLanes(s.deliverNext)
	return s
}

// run lives the session until the context ends or something fails for good.
func (s *session) run(ctx context.Context) error {
	if err := safely(func() error { return s.prepare(ctx) }); err != nil {
		return err
	}
	// Two contexts: begin ends when nothing new may begin, work when what is
	// under way must end too.
	begin, endBegin := context.WithCancel(ctx)
	defer endBegin()
	work, endWork := context.WithCancel(context.WithoutCancel(ctx))
	defer endWork()

	s.inbox.start(work, begin.Done())
	s.outbox.start(work, begin.Done())
	s.bot.setSession(s)
	defer s.bot.setSession(nil)

	if s.crypto != nil {
		s.goTask(func() { s.syncLoop(begin, work) })
	}
	s.goTask(func() { s.pingLoop(begin) })
	s.goTask(func() { s.catchUpLoop(begin) })
	s.goTask(func() { s.readRooms(begin) })
	s.goTask(func() { s.cleanLoop(begin) })
	s.goTask(func() { s.wakeLoop(begin) })
	s.askPing()
	var err error
	select {
	case <-ctx.Done():
	case err = <-s.failed:
	}
	if err == nil {
		select {
		case err = <-s.failed: // both at once: it has no right to finish anything
		default:
		}
	}

	endBegin()
	late := time.AfterFunc(stopTime, endWork)
	defer late.Stop()
	if err != nil {
		endWork() // its view may be wrong: what is under way is done again by the next session
	}
	s.inbox.wait()
	s.outbox.wait()
	s.tasks.Wait()
	return err
}

// fail ends the session.
func (s *session) fail(err error) {
	select {
	case s.failed <- err:
	default: // it is ending already
	}
}

// goTask runs a task beside the lanes. Its panic ends the session.
func (s *session) goTask(task func()) {
	s.tasks.Go(func() {
		err := safely(func() error {
			task()
			return nil
		})
		if err != nil {
			s.fail(fmt.Errorf("%w: %w", errStartOver, err))
		}
	})
}

// wakeLoop takes up what an earlier life left, and whatever else came into the
// database without a call to Wake.
func (s *session) wakeLoop(ctx context.Context) {
	for {
		if err := s.wakeAll(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn().Err(err).Msg("Looking for open work failed")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wakeEvery):
		}
	}
}

func (s *session) wakeAll(ctx context.Context) error {
	rooms, err := s.store.RoomsWithEvents(ctx)
	if err != nil {
		return err
	}
	for _, room := range rooms {
		s.inbox.wake(room)
	}
	rooms, err = s.store.RoomsWithMessages(ctx)
	if err != nil {
		return err
	}
	for _, room := range rooms {
		s.outbox.wake(room)
	}
	return nil
}

// readRooms reads the state of every room that the bot is in, so that the
// first command after a start does not wait for it, and leaves the empty ones.
func (s *session) readRooms(ctx context.Context) {
	// Asked for first, so that a room that is joined meanwhile is not among them.
	invited, err := s.store.InvitedRooms(ctx)
	if err != nil {
		s.log.Warn().Err(err).Msg("Listing the rooms that count for somebody failed")
	}
	joined, err := quickly(ctx, s.client.JoinedRooms)
	if err != nil {
		s.log.Warn().Err(err).Msg("Listing the bot's rooms failed; their state is read when it is needed")
		return
	}
	for _, room := range invited {
		if slices.Contains(joined.JoinedRooms, room) {
			continue
		}
		if err := s.store.Left(ctx, room); err != nil {
			s.log.Warn().Err(err).Stringer("room_id", room).Msg("A room that the bot has left still counts for who invited it there")
		}
	}
	for _, room := range joined.JoinedRooms {
		if ctx.Err() != nil {
			return
		}
		if err := s.tidyRoom(ctx, room); err != nil {
			s.log.Warn().Err(err).Stringer("room_id", room).Msg("Reading a room's state failed; it is read when it is needed")
		}
		s.describe(ctx, room)
	}
}

func (s *session) cleanLoop(ctx context.Context) {
	for {
		if err := s.store.Clean(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn().Err(err).Msg("Removing old rows failed")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(cleanEvery):
		}
	}
}
