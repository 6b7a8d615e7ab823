package chat

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"maunium.net/go/mautrix/id"
)

// dendrite answers in a homeserver's place what Dendrite answers differently: it
// makes devices by log-ins only, and speaking with the as_token is speaking as
// no device.
type dendrite struct {
	mu      sync.Mutex
	devices []string // of each log-in
	token   string   // the one that counts, of the last log-in
}

func (d *dendrite) answer(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	appservice := r.Header.Get("Authorization") == "Bearer secret"
	device, isDevice := strings.CutPrefix(r.URL.Path, "/_matrix/client/v3/devices/")
	switch {
	case strings.HasSuffix(r.URL.Path, "/register"):
		return nil, nil
	case isDevice && r.Method == http.MethodPut && !slices.Contains(d.devices, device):
		return says(http.StatusNotFound, `{"errcode":"M_FORBIDDEN","error":"device does not exist"}`), nil
	case isDevice && r.Method == http.MethodPut:
		return says(http.StatusOK, `{}`), nil
	case isDevice:
		return says(http.StatusUnauthorized, `{"flows":[{"stages":["m.login.password"]}],"session":"x"}`), nil
	case strings.HasSuffix(r.URL.Path, "/whoami") && appservice:
		return says(http.StatusOK, `{"device_id":"AS_Device"}`), nil
	case strings.HasSuffix(r.URL.Path, "/login") && appservice:
		return d.logIn(r)
	case strings.HasSuffix(r.URL.Path, "/ping"):
		return says(http.StatusNotFound, `{"errcode":"M_UNRECOGNIZED"}`), nil
	case r.Header.Get("Authorization") != "Bearer "+d.token:
		return says(http.StatusUnauthorized, `{"errcode":"M_UNKNOWN_TOKEN","error":"Unknown token"}`), nil
	}
	return nil, nil
}

func (d *dendrite) logIn(r *http.Request) (*http.Response, error) {
	var login struct {
		Type       string `json:"type"`
		Identifier struct{ Type, User string }
		DeviceID   string `json:"device_id"`
	}
	err := json.NewDecoder(r.Body).Decode(&login)
	if err != nil || login.Type != "m.login.application_service" || login.Identifier.User != "bot" || login.DeviceID == "" {
		return says(http.StatusBadRequest, `{"errcode":"M_BAD_JSON"}`), nil
	}
	d.devices = append(d.devices, login.DeviceID)
	d.token = fmt.Sprintf("login-%d", len(d.devices))
	return says(http.StatusOK, fmt.Sprintf(`{"user_id":%q,"access_token":%q,"device_id":%q}`, theBot, d.token, login.DeviceID)), nil
}

// signOut ends the log-in, as when somebody removes the device.
func (d *dendrite) signOut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.token = "none"
}

// logIns are the devices of all log-ins, the latest last.
func (d *dendrite) logIns() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.devices)
}

func TestAHomeserverThatMakesDevicesByLogInOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dendrite{}
		server := &homeserver{people: []id.UserID{anna}, fault: d.answer}
		l := begin(t, server, echo)
		l.hears("!room:x", anna, "one")
		l.answered("!room:x", "one")

		l.Log("somebody removes the device")
		d.signOut()
		l.hears("!room:x", anna, "two")
		l.answered("!room:x", "one", "two")

		l.Log("the bot starts again")
		l.again()
		l.hears("!room:x", anna, "three")
		l.answered("!room:x", "one", "two", "three")
		if got := d.logIns(); len(got) != 3 || len(slices.Compact(got)) != 1 {
			t.Errorf("log-ins for the devices %q, want three for the same one", got)
		}
	})
}

// Dendrite knows transaction ids only until it restarts.
func TestAHomeserverThatForgetsWhatWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &dendrite{}
		server := &homeserver{people: []id.UserID{anna}, fault: d.answer}
		l := begin(t, server, echo)
		l.hears("!room:x", anna, "one")
		l.answered("!room:x", "one")
		server.spoil(d.answer, to("/send/", func(*http.Request) (*http.Response, error) {
			server.forget()
			server.spoil(d.answer, nil)
			return says(http.StatusBadGateway, "<html>"), nil
		}))
		l.hears("!room:x", anna, "two")
		l.hears("!room:x", anna, "three")
		l.answered("!room:x", "one", "two", "three")
	})
}
