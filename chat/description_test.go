package chat

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"maunium.net/go/mautrix/event/cmdschema"
	"maunium.net/go/mautrix/id"
)

// offer is Commands for tests, with these commands to be described.
type offer struct {
	handler
	names atomic.Pointer[[]string]
}

func (o *offer) are(names ...string) { o.names.Store(&names) }

func (o *offer) Descriptions(context.Context, id.UserID) ([]*cmdschema.EventContent, error) {
	var contents []*cmdschema.EventContent
	for _, name := range *o.names.Load() {
		contents = append(contents, &cmdschema.EventContent{Command: name})
	}
	return contents, nil
}

// describing makes the bot describe the commands of an offer.
func describing(o *offer) func(*Config) {
	return func(cfg *Config) { cfg.Commands, cfg.DescribeCommands = o, true }
}

// setIn are the contents that the bot has set in a room so far, in order.
func (h *homeserver) setIn(room id.RoomID) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var contents []string
	for _, s := range h.set {
		if s.room == room {
			contents = append(contents, string(s.content))
		}
	}
	return contents
}

// settled lets somebody say something, and waits until the bot has done all that
// it does about it.
func (l *life) settled(room id.RoomID, n int) {
	l.Helper()
	want := slices.Repeat([]string{"hello"}, n)
	l.hears(room, anna, "hello")
	l.answered(room, want...)
	synctest.Wait()
}

func (l *life) described(room id.RoomID, want ...string) {
	l.Helper()
	if got := l.server.setIn(room); !slices.Equal(got, want) {
		l.Fatalf("in %s the bot set %q, want %q", room, got, want)
	}
}

func TestCommandsAreDescribedWhenTheyChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &offer{handler: echo}
		o.are("help")
		l := begin(t, &homeserver{people: []id.UserID{anna}}, echo, describing(o))
		l.settled("!room:x", 1)
		l.described("!room:x", `{"command":"help"}`)
		l.settled("!room:x", 2)
		l.bot.Abort() // the next session reads the room anew
		l.settled("!room:x", 3)
		l.described("!room:x", `{"command":"help"}`)

		o.are("create")
		l.settled("!room:x", 4)
		l.described("!room:x", `{"command":"help"}`, `{"command":"create"}`, `{}`)
		l.bot.Abort()
		l.settled("!room:x", 5)
		l.described("!room:x", `{"command":"help"}`, `{"command":"create"}`, `{}`)
	})
}

func TestWhereTheBotMayNotDescribeItsCommands(t *testing.T) {
	for errcode, status := range map[string]int{
		"M_FORBIDDEN": http.StatusForbidden, "M_TOO_LARGE": http.StatusRequestEntityTooLarge, "M_INVALID_PARAM": http.StatusBadRequest,
	} {
		t.Run(errcode, func(t *testing.T) { testRefusedDescriptions(t, status, errcode) })
	}
}

func testRefusedDescriptions(t *testing.T, status int, errcode string) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		server := &homeserver{people: []id.UserID{anna}}
		server.spoil(to("/state/", func(*http.Request) (*http.Response, error) {
			asked++
			return says(status, fmt.Sprintf(`{"errcode":%q}`, errcode)), nil
		}), nil)
		o := &offer{handler: echo}
		o.are("help", "create")
		l := begin(t, server, echo, describing(o))
		l.settled("!room:x", 1)
		l.settled("!room:x", 2)
		if asked != 1 {
			t.Errorf("it tried %d times", asked)
		}
		server.spoil(nil, nil)
		o.are("help", "create", "list")
		l.settled("!room:x", 3)
		l.described("!room:x", `{"command":"list"}`)
	})
}

func TestDescriptionsThatFailedAreMadeGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &homeserver{people: []id.UserID{anna}}
		server.spoil(to("/state/", away), nil)
		o := &offer{handler: echo}
		o.are("help")
		l := begin(t, server, echo, describing(o))
		l.settled("!room:x", 1)
		server.spoil(nil, nil)
		l.settled("!room:x", 2)
		l.described("!room:x", `{"command":"help"}`)
	})
}

func TestDescriptionsAreTakenBack(t *testing.T) {
	help := &cmdschema.EventContent{Command: "help"}
	told := setting{"!room:x", help.StateKey(theBot), []byte(`{"command":"help"}`)}
	o := &offer{handler: echo}
	o.are("help")
	for what, test := range map[string]struct {
		people []id.UserID
		with   func(*Config)
	}{
		"when it was switched off":        {[]id.UserID{anna}, func(cfg *Config) { cfg.Commands = o }},
		"when the chat is not direct now": {[]id.UserID{anna, ben}, describing(o)},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &homeserver{people: test.people, joined: []id.RoomID{"!room:x"}, set: []setting{told}}
				l := begin(t, server, echo, test.with)
				l.settled("!room:x", 1)
				l.described("!room:x", `{"command":"help"}`, `{}`)
			})
		})
	}
}
