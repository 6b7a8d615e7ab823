//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"maunium.net/go/mautrix/event"

	"matrix-registration-bot/e2e/lab"
)

// node is what the JavaScript clients run on, installed when the first is needed.
var node = sync.OnceValues(func() (*lab.Node, error) {
	return lab.InstallNode(context.Background(), os.Stderr)
})

// The devices that people use.
var (
	phone  = lab.JSDevice{Name: "phone", First: true}
	strict = lab.JSDevice{Name: "strict phone", First: true, SignedOnly: true}
	laptop = lab.JSDevice{Name: "laptop"}
)

// onEachDatabaseReadably is onEachDatabase for scenes in which the bot, too, must be
// able to read every message.
func onEachDatabaseReadably(t *testing.T, play func(s *scene)) {
	t.Helper()
	onEachDatabase(t, func(s *scene) {
		s.Helper()
		log := filepath.Join(s.Bot.Dir(), "bot.log")
		before, err := os.ReadFile(log)
		s.must(err)
		s.Cleanup(func() {
			after, err := os.ReadFile(log)
			s.must(err)
			for line := range strings.Lines(string(after[len(before):])) {
				if unreadable.MatchString(line) {
					s.Errorf("the bot could not read a message: %s", line)
				}
			}
		})
		play(s)
	})
}

// unreadable is what the bot logs of a message that it can't read, or won't.
var unreadable = regexp.MustCompile(`can't be decrypted|The key of a message did not come|Refusing an encrypted message`)

// device logs a person in on an encrypted client. At the end of the scene it must
// have been able to read all that it was sent.
func (s *scene) device(person *lab.Person, how lab.JSDevice) *lab.JSClient {
	s.Helper()
	n, err := node()
	s.must(err)
	client, err := n.LogIn(s.Context(), s.Synapse, person.UserID, person.Password, how)
	s.must(err)
	s.Cleanup(func() {
		client.Close()
		for _, e := range client.Unreadable() {
			s.Errorf("%s could not read %s of %s on the %s: %s", client.UserID, e.ID, e.Sender, how.Name, e.Failure)
		}
	})
	return client
}

// knows waits until a client has learned of somebody's device.
func (s *scene) knows(client, other *lab.JSClient) {
	s.Helper()
	s.eventually(client.UserID.String()+" knows the device of "+other.UserID.String(), func() bool {
		shown, err := client.Identity(s.Context(), other.UserID)
		s.must(err)
		return slices.ContainsFunc(shown.Devices, func(d lab.JSShownDevice) bool { return d.ID == other.DeviceID })
	})
}

// sealedDM opens an encrypted direct chat; its greeting has been heard.
func (s *scene) sealedDM(client *lab.JSClient) (*chat, sealed) {
	s.Helper()
	dm, err := client.DM(s.Context(), s.Bot.UserID)
	s.must(err)
	c := &chat{s, sealed{dm}}
	c.hear()
	return c, sealed{dm}
}

// plainDM opens a direct chat without encryption; its greeting has been heard.
func (s *scene) plainDM(client *lab.JSClient) *chat {
	s.Helper()
	dm, err := client.PlainDM(s.Context(), s.Bot.UserID)
	s.must(err)
	c := &chat{s, dm}
	c.hear()
	return c
}

// sealedGroup opens an encrypted room with the bot and somebody else: the view of
// each.
func (s *scene) sealedGroup(host, guest *lab.JSClient) (hosts, guests *chat, room sealed) {
	s.Helper()
	opened, err := host.Group(s.Context(), s.Bot.UserID, guest.UserID)
	s.must(err)
	hosts = &chat{s, sealed{opened}}
	hosts.hear()
	joined, err := guest.Join(s.Context(), opened)
	s.must(err)
	_, err = opened.Until(s.Context(), guest.UserID, event.MembershipJoin)
	s.must(err)
	return hosts, &chat{s, sealed{joined}}, sealed{opened}
}

// sealed is an encrypted room: whatever the bot says there has to come encrypted,
// and without a warning beside it.
type sealed struct{ *lab.JSChat }

// Hear is JSChat.Hear with that check.
func (r sealed) Hear(ctx context.Context) (lab.Message, error) {
	message, err := r.JSChat.Hear(ctx)
	if err == nil {
		_, err = r.SeeTrusted(ctx, message.ID)
	}
	return message, err
}

// Ask is JSChat.Ask with that check.
func (r sealed) Ask(ctx context.Context, text string) (lab.Message, error) {
	answer, err := r.JSChat.Ask(ctx, text)
	if err == nil {
		_, err = r.SeeTrusted(ctx, answer.ID)
	}
	return answer, err
}

// session is the id of the megolm session that the bot used for a message.
func (s *scene) session(room sealed, message lab.Message) string {
	s.Helper()
	shown, err := room.See(s.Context(), message.ID)
	s.must(err)
	return shown.Session
}

// eventually waits until a condition holds.
func (s *scene) eventually(what string, holds func() bool) {
	s.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.Fatalf("it did not happen that %s", what)
		}
	}
}

// plainText returns what the bot has said unencrypted in the room.
func (r sealed) plainText(bot *lab.Bot) []string {
	var said []string
	for _, e := range r.Timeline() {
		if e.Sender == bot.UserID && e.Type == event.EventMessage.Type && !e.Encrypted {
			said = append(said, string(e.Content))
		}
	}
	return said
}

// restartWith restarts the bot with a changed config, and with the old one at the
// end of the scene.
func (s *scene) restartWith(old, replacement string) {
	s.Helper()
	change := func(from, to string) {
		s.Helper()
		s.must(s.Bot.Stop())
		s.must(s.Bot.EditConfig(from, to))
		s.must(s.Bot.Start(context.WithoutCancel(s.Context())))
	}
	change(old, replacement)
	s.Cleanup(func() { change(replacement, old) })
}

// groupsOfFour writes a key as people compare it.
func groupsOfFour(key string) string {
	var groups []string
	for len(key) > 4 {
		groups, key = append(groups, key[:4]), key[4:]
	}
	return strings.Join(append(groups, key), " ")
}
