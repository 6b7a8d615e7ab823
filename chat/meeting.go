package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/sqlstatestore"
)

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
