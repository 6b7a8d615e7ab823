package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"maunium.net/go/mautrix"
)

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
