package chat

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
)

// plainDevice returns the id of the bot's device when encryption, which has its
// own, is off. It is drawn once and kept, since the homeserver's memory of what
// was sent hangs on it.
func (s *session) plainDevice(ctx context.Context) (id.DeviceID, error) {
	const setting = "device_id"
	device, err := s.store.Setting(ctx, setting)
	if err == nil && device == "" {
		device = newDeviceID().String()
		err = s.store.PutSetting(ctx, setting, device)
	}
	return id.DeviceID(device), err
}

func newDeviceID() id.DeviceID { return id.DeviceID(rand.Text()[:10]) }

// useDevice makes the bot's device, or finds it again, and has the client speak
// as it from now on.
func (s *session) useDevice(ctx context.Context, device id.DeviceID) error {
	speaks, err := s.speakAs(ctx, device)
	if err == nil && !speaks {
		err = s.logIn(ctx, device)
	}
	if err != nil {
		return fmt.Errorf("making the bot's device: %w", err)
	}
	return nil
}

// speakAs makes the device with the as_token (MSC4190) and tells whether the
// client can speak as it (MSC4326). Dendrite can do neither; only a device that
// is there already it seems to make.
func (s *session) speakAs(ctx context.Context, device id.DeviceID) (bool, error) {
	err := s.client.CreateDeviceMSC4190(ctx, device, s.cfg.Displayname)
	var answer mautrix.HTTPError
	if errors.As(err, &answer) && answer.IsStatus(http.StatusNotFound) && answer.RespError != nil {
		return false, nil
	} else if err != nil {
		return false, err
	}
	who, err := s.client.Whoami(ctx)
	if err != nil {
		return false, err
	}
	return who.DeviceID == device, nil
}

// logIn makes the device, or finds it again, by a log-in of the appservice, and
// has the client go on with the access token that it gives. That one is not
// kept: the next log-in gives the same device another.
func (s *session) logIn(ctx context.Context, device id.DeviceID) error {
	localpart, _, err := s.cfg.UserID.ParseAndDecode()
	if err != nil {
		return fmt.Errorf("the bot's user id: %w", err)
	}
	login, err := s.appservice.Login(ctx, &mautrix.ReqLogin{
		Type:                     mautrix.AuthTypeAppservice,
		Identifier:               mautrix.UserIdentifier{Type: mautrix.IdentifierTypeUser, User: localpart},
		DeviceID:                 device,
		InitialDeviceDisplayName: s.cfg.Displayname,
	})
	if err != nil {
		return fmt.Errorf("logging in: %w", err)
	}
	s.client.AccessToken, s.client.DeviceID = login.AccessToken, login.DeviceID
	s.client.SetAppServiceUserID = false
	s.loggedIn = true
	return nil
}

// deviceIsGone tells whether a request failed because somebody has removed the
// bot's device. tuwunel says M_INVALID_PARAM then, as it does for other reasons;
// whoami has no parameter but the device.
func (s *session) deviceIsGone(ctx context.Context, err error) bool {
	if errors.Is(err, mautrix.MInvalidParam) {
		_, err = quickly(ctx, s.client.Whoami)
		return errors.Is(err, mautrix.MInvalidParam)
	}
	return errors.Is(err, mUnknownDevice) || s.loggedIn && errors.Is(err, mautrix.MUnknownToken)
}

// removeOldDevices deletes what earlier databases, or a predecessor under the
// same user id, left behind: clients would go on encrypting for devices that
// nobody reads.
func (s *session) removeOldDevices(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	devices, err := s.client.GetDevicesInfo(ctx)
	if err != nil {
		s.log.Warn().Err(err).Msg("Listing the bot's devices failed")
		return
	}
	for _, device := range devices.Devices {
		if device.DeviceID == s.client.DeviceID {
			continue
		}
		err := s.client.DeleteDevice(ctx, device.DeviceID, &mautrix.ReqDeleteDevice[any]{})
		if err != nil {
			s.log.Warn().Err(err).Stringer("device_id", device.DeviceID).Msg("An old device of the bot can't be removed: clients will go on encrypting for it, too")
			continue
		}
		s.log.Info().Stringer("device_id", device.DeviceID).Msg("Removed an old device of the bot")
	}
}
