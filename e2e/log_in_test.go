//go:build e2e

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"matrix-registration-bot/e2e/faults"
)

// Dendrite lets an appservice neither make a device nor speak as one, has no ping,
// and takes no second cross-signing identity without a password. The bot's way
// there, a log-in, is one that Synapse knows too.
func TestEncryptedWhereOnlyALogInMakesADevice(t *testing.T) {
	onDatabase(t, "sqlite", func(s *scene) {
		client := s.device(s.Admin, phone)
		anna, room := s.sealedDM(client)
		before := s.shown(client)

		proxy, err := faults.Open(s.Synapse.URL)
		s.must(err)
		s.Cleanup(proxy.Close)
		asAppservice := func(which faults.Which) faults.Which {
			return func(r *http.Request, body string) bool { return r.URL.Query().Has("user_id") && which(r, body) }
		}
		proxy.Spoil(1, faults.To("PUT", "/devices/"), faults.Says(http.StatusNotFound, `{"errcode":"M_FORBIDDEN","error":"device does not exist"}`))
		proxy.Spoil(0, asAppservice(faults.To("GET", "/whoami")), faults.Says(http.StatusOK, `{"device_id":"AS_Device"}`))
		proxy.Spoil(0, faults.To("POST", "/ping"), faults.Says(http.StatusNotFound, `{"errcode":"M_UNRECOGNIZED","error":"Unrecognized request"}`))
		noDevice := faults.Says(http.StatusBadRequest, `{"errcode":"M_UNKNOWN","error":"this is no device's access token"}`)
		asNobody := []*faults.Spoilt{
			proxy.Spoil(0, asAppservice(faults.To("POST", "/keys/upload")), noDevice),
			proxy.Spoil(0, asAppservice(faults.To("PUT", "/sendToDevice/")), noDevice),
			proxy.Spoil(0, asAppservice(faults.To("PUT", "/send/")), noDevice),
			proxy.Spoil(0, asAppservice(faults.To("GET", "/sync")), noDevice),
		}
		s.restartWith("address: "+s.Synapse.URL, "address: "+proxy.URL)

		s.must(room.Rotate(s.Context()))
		s.hasTokens(anna.create())
		s.isBack(client, before)

		s.T.Log("the log-in is ended while the bot runs")
		s.must(s.DeleteDevice(s.Context(), s.Bot.UserID, before.Devices[0].ID))
		s.isBack(client, before)
		s.must(room.Rotate(s.Context()))
		s.says(anna.ask("whoami"), before.Devices[0].ID.String())

		s.T.Log("the database is lost, and its identity with it")
		s.must(s.Bot.Stop())
		backup, err := s.Bot.BackUp()
		s.must(err)
		s.must(s.Bot.LoseDatabase(s.Context()))
		s.startBot()
		s.eventually("the client knows the bot's new device", func() bool {
			shown, err := client.Identity(s.Context(), s.Bot.UserID)
			s.must(err)
			return len(shown.Devices) == 2
		})
		s.must(room.Rotate(s.Context()))
		said, err := room.JSChat.Ask(s.Context(), "whoami") // with a warning beside it
		s.must(err)
		s.says(said, "can't sign this session")
		keys, err := s.Bot.Command(s.Context(), "-c", "config.yaml", "fingerprint")
		if err != nil || strings.Contains(keys, groupsOfFour(before.MasterKey)) {
			s.Errorf("`fingerprint` shows a master key that is lost (%v):\n%s", err, keys)
		}
		s.must(s.Bot.Stop())
		s.must(backup.Restore())

		for _, request := range asNobody {
			if n := request.Met(); n > 0 {
				s.Errorf("%d requests that only a device can make came with the as_token", n)
			}
		}
	})
}
