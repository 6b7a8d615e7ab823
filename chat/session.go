package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rs/zerolog"
	"go.mau.fi/util/dbutil"
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

	rooms *exsync.KeyedMutex[id.RoomID] // held while a room's members are read or changed

	describing *exsync.KeyedMutex[id.RoomID] // held while a room's descriptions are compared and changed
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
		bot: b, cfg: b.cfg, rooms: exsync.NewKeyedMutex[id.RoomID](), store: b.cfg.Store, log: b.log,
		describing: exsync.NewKeyedMutex[id.RoomID](), described: exsync.NewMap[id.RoomID, descriptions](),
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

// prepare meets the homeserver: it waits until it is there and knows the
// registration, then makes user, device and profile what they should be.
func (s *session) prepare(ctx context.Context) (err error) {
	if s.appservice, err = newClient(s.cfg); err != nil {
		return err
	}
	if s.client, err = newClient(s.cfg); err != nil {
		return err
	}
	s.state = sqlstatestore.NewSQLStateStore(s.store.Matrix(), dbutil.ZeroLogger(s.log), false)
	if err = s.state.Upgrade(ctx); err != nil {
		return fmt.Errorf("preparing the room state tables: %w", err)
	}
	s.client.StateStore = s.state
	if err = s.meet(ctx); err != nil {
		return err
	}
	if err = s.openDevice(ctx); err != nil {
		return err
	}
	s.removeOldDevices(ctx)
	s.setProfile(ctx)
	// What happened while the bot was away may have been lost with the
	// homeserver's or our own database: every room is read anew before use.
	rooms, err := s.store.KnownRooms(ctx)
	if err != nil {
		return err
	}
	for _, room := range rooms {
		if err := s.store.ForgetState(ctx, room); err != nil {
			return err
		}
		// The members stay: when somebody has a new device, mautrix looks there
		// for the rooms whose keys it must get.
	}
	return nil
}

// openDevice makes or finds the bot's device, with its keys if encryption is on.
func (s *session) openDevice(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, cryptoTime)
	defer cancel()
	if s.cfg.Encryption.Enabled {
		s.crypto, err = s.openCrypto(ctx)
		return err
	}
	device, err := s.plainDevice(ctx)
	if err != nil {
		return err
	}
	return s.useDevice(ctx, device)
}

// meet registers the bot's user, as often as it takes.
func (s *session) meet(ctx context.Context) error {
	localpart, _, err := s.cfg.UserID.ParseAndDecode()
	if err != nil {
		return fmt.Errorf("the bot's user id: %w", err)
	}
	for n := 0; ; n++ {
		err := func() error {
			ctx, cancel := context.WithTimeout(ctx, callTime)
			defer cancel()
			return register(ctx, s.appservice, localpart)
		}()
		if err == nil || errors.Is(err, mautrix.MUserInUse) {
			if n > 0 {
				s.log.Info().Msg("The homeserver is there")
			}
			s.bot.status.homeserver("ok")
			return nil
		}
		words := meetingWords(err, s.cfg)
		s.bot.status.homeserver(words)
		if n == 0 || n%20 == 0 {
			s.log.Warn().Err(err).Str("homeserver", s.cfg.Homeserver).Msg(words)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause(n, 4*time.Second, err)):
		}
	}
}

// meetingWords says in plain words why the homeserver does not let the bot in,
// and what to do.
func meetingWords(err error, cfg Config) string {
	switch {
	case errors.Is(err, mautrix.MUnknownToken):
		return "The homeserver does not know the bot's registration yet: name registration.yaml in app_service_config_files and restart the homeserver"
	case errors.Is(err, mautrix.MExclusive):
		return fmt.Sprintf("The homeserver says that %s is not in the namespace of its registration: compare bot.username with namespaces.users in registration.yaml, then restart the homeserver", cfg.UserID)
	default:
		return "The homeserver can't be used yet; trying again"
	}
}

// setProfile sets display name and avatar where they differ. The bot works
// without, so failures are only logged.
func (s *session) setProfile(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	profile, err := s.client.GetProfile(ctx, s.cfg.UserID)
	if err != nil && !errors.Is(err, mautrix.MNotFound) {
		s.log.Warn().Err(err).Msg("Reading the bot's profile failed")
		return
	}
	if profile == nil {
		profile = &mautrix.RespUserProfile{}
	}
	if profile.DisplayName != s.cfg.Displayname {
		if err := s.client.SetDisplayName(ctx, s.cfg.Displayname); err != nil {
			s.log.Warn().Err(err).Msg("Setting the bot's display name failed")
		}
	}
	if avatar := s.cfg.Avatar.ParseOrIgnore(); !avatar.IsEmpty() && profile.AvatarURL != avatar {
		if err := s.client.SetAvatarURL(ctx, avatar); err != nil {
			s.log.Warn().Err(err).Msg("Setting the bot's avatar failed")
		}
	}
}

// askPing has the homeserver pinged soon.
func (s *session) askPing() {
	select {
	case s.pings <- struct{}{}:
	default:
	}
}

// pingLoop asks the homeserver to call the bot (MSC2659) whenever that was
// asked for, until it works.
func (s *session) pingLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.pings:
		}
		for n := 0; ; n++ {
			words, err := s.ping(ctx)
			s.bot.status.wayBack(words)
			if err == nil {
				break
			}
			if n%20 == 0 {
				s.log.Warn().Err(err).Msg(words)
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause(n, 15*time.Second, nil)):
			}
		}
	}
}

// ping returns in plain words how the way back is. They stand in /ready, so they
// hold no addresses; an error, which is worth another try, may.
func (s *session) ping(ctx context.Context) (words string, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	_, err = s.appservice.AppservicePing(ctx, s.cfg.AppserviceID, "way-back")
	switch {
	case err == nil:
		s.log.Info().Msg("The homeserver reaches the bot")
		select {
		case s.pinged <- struct{}{}:
		default:
		}
		return "ok", nil
	case errors.Is(err, mautrix.MUnrecognized):
		return "unknown: this homeserver has no ping", nil
	case errors.Is(err, mautrix.MURLNotSet):
		return "The registration that the homeserver has loaded has no url: it will never tell the bot about messages. Set url in registration.yaml and restart the homeserver", err
	case errors.Is(err, mautrix.MConnectionFailed), errors.Is(err, mautrix.MConnectionTimeout):
		return "The homeserver can't reach the bot at the url in registration.yaml: it must lead, seen from the homeserver, to appservice.listen", err
	case errors.Is(err, mautrix.MBadStatus):
		return "Something else than this bot answers at the url in registration.yaml, or with another hs_token: the bot and the homeserver must use the same registration.yaml; restart both", err
	case errors.Is(err, mautrix.MForbidden), errors.Is(err, mautrix.MNotFound):
		return fmt.Sprintf("The homeserver does not know an appservice with the id %s: compare it with the registration.yaml that it has loaded", s.cfg.AppserviceID), err
	default:
		return "Asking the homeserver to call the bot failed, see the log", err
	}
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

// quickly gives a call its time limit.
func quickly[T any](ctx context.Context, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return call(ctx)
}

// people are those whose membership counts for what a room is: joined and
// invited.
func (s *session) people(ctx context.Context, room id.RoomID) ([]id.UserID, error) {
	people, err := s.state.GetRoomJoinedOrInvitedMembers(ctx, room)
	if err != nil {
		return nil, fmt.Errorf("reading the members of %s: %w", room, err)
	}
	return people, nil
}
