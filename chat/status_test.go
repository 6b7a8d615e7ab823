package chat

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"maunium.net/go/mautrix/id"
)

// Anybody can read /ready, so what stands there names no addresses.
func TestTheStatusTellsNoAddresses(t *testing.T) {
	const address = "http://10.0.0.5:8008"
	check := func(t *testing.T, what, words string) {
		t.Helper()
		if words == "ok" || strings.Contains(words, "//") || strings.Contains(words, "10.0.0.5") {
			t.Errorf("%s: %q", what, words)
		}
	}
	for _, errcode := range []string{
		"M_URL_NOT_SET", "M_CONNECTION_FAILED", "M_CONNECTION_TIMEOUT", "M_BAD_STATUS", "M_FORBIDDEN", "M_UNRECOGNIZED", "M_UNKNOWN",
	} {
		synctest.Test(t, func(t *testing.T) {
			l := begin(t, &homeserver{people: []id.UserID{anna}, fault: to("/ping", func(*http.Request) (*http.Response, error) {
				return says(http.StatusBadGateway, fmt.Sprintf(`{"errcode":%q,"error":"%s: refused"}`, errcode, address)), nil
			})}, echo)
			l.until("the way back was tried", func() bool { return l.bot.Status().WayBack != "not tried yet" })
			check(t, errcode, l.bot.Status().WayBack)
		})
	}
	for _, failure := range []fault{
		func(*http.Request) (*http.Response, error) { return nil, errors.New("dial " + address) },
		func(*http.Request) (*http.Response, error) {
			return says(http.StatusUnauthorized, `{"errcode":"M_UNKNOWN_TOKEN"}`), nil
		},
		func(*http.Request) (*http.Response, error) {
			return says(http.StatusBadRequest, `{"errcode":"M_EXCLUSIVE"}`), nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := begin(t, &homeserver{people: []id.UserID{anna}, fault: failure}, echo)
			l.until("the homeserver was asked", func() bool { return l.bot.Status().Homeserver != "starting" })
			check(t, "homeserver", l.bot.Status().Homeserver)
		})
	}
}
