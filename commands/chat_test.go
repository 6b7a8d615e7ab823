package commands

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

const (
	bot     = id.UserID("@registration-bot:example.com")
	admin   = id.UserID("@admin:example.com")
	manager = id.UserID("@manager:example.com")
	inviter = id.UserID("@inviter:example.com")
	friend  = id.UserID("@friend:example.com")
	nobody  = id.UserID("@nobody:elsewhere.org")
)

// town is a bot, its database, the server that it works for, and the people
// who talk to it.
type town struct {
	t        *testing.T
	bot      *Dispatcher
	server   tokens.Server
	store    *memory
	settings Settings
	now      time.Time
	log      bytes.Buffer
	messages int
}

// newTown has one person of each role, and lets everybody on example.com
// invite.
func newTown(t *testing.T, server tokens.Server) *town {
	town := &town{
		t:      t,
		server: server,
		store:  newMemory(),
		settings: Settings{
			Language:    "en",
			Prefix:      "!reg",
			DisplayName: "Registration Bot",
			ServerName:  "example.com",
			Address:     "https://matrix.example.com",
			Permissions: access.Permissions{
				string(admin):   access.Admin,
				string(manager): access.Manager,
				"example.com":   access.Inviter,
			},
			Limits: map[access.Role]Limits{
				access.None:    {PerMinute: 20},
				access.Inviter: {Uses: 1, Expires: 7 * 24 * time.Hour, Open: 5, PerMinute: 20},
			},
			Create:        CreateDefaults{Uses: 1, Expires: 7 * 24 * time.Hour, Length: 16},
			MaxCommandAge: time.Hour,
			Apps:          Apps{Cinny: "https://cinny.example.org/", Element: "https://element.example.org"},
		},
		now: time.Date(2099, 12, 1, 5, 50, 0, 0, time.UTC),
	}
	town.store.now = func() time.Time { return town.now }
	town.restart()
	return town
}

// onSynapse is a town whose server speaks HTTP.
func onSynapse(t *testing.T) (*town, *tokenstest.Synapse) {
	t.Helper()
	synapse := tokenstest.StartSynapse(t)
	server, err := tokens.New(synapse.Config())
	if err != nil {
		t.Fatal(err)
	}
	return newTown(t, server), synapse
}

// languages are read once for all towns.
var languages = sync.OnceValues(locale.Load)

// restart starts the bot anew: only the database and the server remember.
func (t *town) restart() {
	catalog, err := languages()
	if err != nil {
		t.t.Fatal(err)
	}
	t.bot = New(Options{
		Server:   t.server,
		Store:    t.store,
		Catalog:  catalog,
		Settings: func() Settings { return t.settings },
		Bot:      bot,
		Now:      func() time.Time { return t.now },
		Log:      zerolog.New(zerolog.SyncWriter(&t.log)),
	})
	t.bot.patience = patience{limit: time.Minute, pause: time.Millisecond}
}

// role is the role that a person has.
func (t *town) role(user id.UserID) access.Role {
	t.t.Helper()
	decision, err := t.bot.Decide(context.Background(), user)
	if err != nil {
		t.t.Fatal(err)
	}
	return decision.Role
}

// message is one that a person sends in the direct chat with the bot.
func (t *town) message(sender id.UserID, text string) Message {
	t.messages++
	m := Message{
		EventID:   id.EventID(fmt.Sprintf("$%d", t.messages)),
		RoomID:    id.RoomID("!direct" + sender),
		Sender:    sender,
		SentAt:    t.now,
		Direct:    true,
		Encrypted: true,
		Text:      text,
	}
	t.store.marked[m.EventID] = sender
	return m
}

// inGroup makes it a message in an unencrypted group room.
func inGroup(m Message) Message {
	m.RoomID, m.Direct, m.Encrypted = "!group", false, false
	return m
}

// handle handles a message as the chat does.
func (t *town) handle(m Message) (reply Reply, err error) {
	finish, err := t.bot.Handle(context.Background(), m)
	if err != nil {
		return Reply{}, err
	}
	err = t.store.Transact(context.Background(), func(ctx context.Context) error {
		if reply, err = finish(ctx); err != nil {
			return err
		}
		t.store.rows.Outbox = append(t.store.rows.Outbox, reply.Texts...)
		return nil
	})
	if err == nil && reply.Committed != nil {
		reply.Committed()
	}
	return reply, err
}

// send returns the bot's answer to a message.
func (t *town) send(m Message) answer {
	t.t.Helper()
	reply, err := t.handle(m)
	if err != nil {
		t.t.Fatalf("%s says %q: %v", m.Sender, m.Text, err)
	}
	return answer{t: t.t, question: m, Reply: reply}
}

// says returns the bot's answer to what a person says in their direct chat.
func (t *town) says(sender id.UserID, text string) answer {
	t.t.Helper()
	return t.send(t.message(sender, text))
}

// reacts returns the bot's answer to a reaction to its question.
func (t *town) reacts(sender id.UserID, to answer, key string) answer {
	t.t.Helper()
	m := t.message(sender, "")
	m.RoomID, m.Direct, m.Encrypted = to.question.RoomID, to.question.Direct, to.question.Encrypted
	m.Reaction = &Reaction{Question: to.question.EventID, Key: key}
	return t.send(m)
}

// answer is what the bot said.
type answer struct {
	t        *testing.T
	question Message
	Reply
}

// plain is all of it as plain text.
func (a answer) plain() string {
	var texts []string
	for _, text := range a.Texts {
		texts = append(texts, text.Plain)
	}
	return strings.Join(texts, "\n---\n")
}

// has checks that each of the words is said.
func (a answer) has(words ...string) answer {
	a.t.Helper()
	for _, w := range words {
		if !strings.Contains(a.plain(), w) {
			a.t.Errorf("%s says %.80q: the answer lacks %q:\n%s", a.question.Sender, a.question.Text, w, a.plain())
		}
	}
	return a
}

// lacks checks that none of the words is said.
func (a answer) lacks(words ...string) answer {
	a.t.Helper()
	for _, w := range words {
		if strings.Contains(a.plain(), w) {
			a.t.Errorf("%s says %.80q: the answer has %q:\n%s", a.question.Sender, a.question.Text, w, a.plain())
		}
	}
	return a
}

// is checks a whole answer of one message.
func (a answer) is(text string) answer {
	a.t.Helper()
	if a.plain() != text {
		a.t.Errorf("%s says %.80q: the answer is\n%s\nand should be\n%s", a.question.Sender, a.question.Text, a.plain(), text)
	}
	return a
}

// isSilence checks that the bot said nothing.
func (a answer) isSilence() {
	a.t.Helper()
	if len(a.Texts) > 0 {
		a.t.Errorf("%s says %.80q: there should be no answer, but it is\n%s", a.question.Sender, a.question.Text, a.plain())
	}
}

// code is the token in the answer to create: what the friend gets to read.
func (a answer) code() string {
	a.t.Helper()
	for _, text := range a.Texts {
		if _, rest, found := strings.Cut(text.Plain, "invite code: "); found && text.Forward {
			code, _, _ := strings.Cut(rest, "\n")
			return code
		}
	}
	a.t.Fatalf("no code to forward in the answer to %q:\n%s", a.question.Text, a.plain())
	return ""
}

// audited returns the audit as "user command outcome subject" lines.
func (t *town) audited() []string {
	var lines []string
	for _, r := range t.store.rows.Audit {
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.User, r.Command, r.Outcome, r.Subject)))
	}
	return lines
}

var errCrash = errors.New("crash")
