package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/appservice"
	"matrix-registration-bot/commands"
)

// sealedLife is a running bot in an encrypted direct chat, and the device of who
// talks with it there.
type sealedLife struct {
	*life
	annas *encryption

	mu    sync.Mutex
	heard []string // what the bot took for commands
}

const sealedRoom = id.RoomID("!room:x")

func beginSealed(t *testing.T, differences ...func(*Config)) *sealedLife {
	t.Helper()
	office, s := newPost(), &sealedLife{}
	sealed := func(cfg *Config) { cfg.Encryption = Encryption{Enabled: true, PickleKey: "key"} }
	s.life = begin(t, &homeserver{people: []id.UserID{anna}, post: office}, s.handle, append([]func(*Config){sealed}, differences...)...)
	s.annas = office.join(t, anna)
	content := &event.EncryptionEventContent{Algorithm: id.AlgorithmMegolmV1}
	if err := s.annas.client.StateStore.SetEncryptionEvent(t.Context(), sealedRoom, content); err != nil {
		t.Fatal(err)
	}
	s.until("the bot is there", s.bot.Working)
	return s
}

func (s *sealedLife) handle(ctx context.Context, m commands.Message) (commands.Finish, error) {
	s.mu.Lock()
	s.heard = append(s.heard, m.Text)
	s.mu.Unlock()
	return echo(ctx, m)
}

// share begins a session of anna's and gives its key to some people.
func (s *sealedLife) share(people ...id.UserID) {
	s.Helper()
	if err := s.annas.forgetSession(s.Context(), sealedRoom); err != nil {
		s.Fatal(err)
	}
	if err := s.annas.mach.ShareGroupSession(s.Context(), sealedRoom, people); err != nil {
		s.Fatal(err)
	}
}

// seal encrypts a text with the session that was shared last.
func (s *sealedLife) seal(text string) json.RawMessage {
	s.Helper()
	content := &event.MessageEventContent{MsgType: event.MsgText, Body: text}
	encrypted, err := s.annas.mach.EncryptMegolmEvent(s.Context(), sealedRoom, event.EventMessage, content)
	if err != nil {
		s.Fatal(err)
	}
	raw, err := json.Marshal(encrypted)
	if err != nil {
		s.Fatal(err)
	}
	return raw
}

// hears lets the bot have an encrypted message of anna's.
func (s *sealedLife) hears(content json.RawMessage) {
	s.Helper()
	s.events++
	e := appservice.Event{
		ID: fmt.Sprintf("$event%d", s.events), RoomID: sealedRoom.String(), Sender: anna.String(), Type: event.EventEncrypted.Type,
		Raw: fmt.Appendf(nil, `{"content":%s}`, content),
	}
	if err := s.db.Accept(s.Context(), "1", []appservice.Event{e}, nil); err != nil {
		s.Fatal(err)
	}
	s.bot.Wake(sealedRoom)
}

// rest waits until the bot has nothing left to do.
func (s *sealedLife) rest() {
	s.Helper()
	s.until("nothing is left to do", func() bool {
		events, err := s.db.RoomsWithEvents(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		messages, err := s.db.RoomsWithMessages(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		return len(events)+len(messages) == 0
	})
}

// expect checks what the bot took for commands, and how often it has spoken.
func (s *sealedLife) expect(answers int, heard ...string) {
	s.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got, want := fmt.Sprint(s.heard), fmt.Sprint(heard); got != want {
		s.Errorf("the bot heard the commands %s, want %s", got, want)
	}
	if n := len(s.server.said(sealedRoom)); n != answers {
		s.Errorf("the bot spoke %d times, want %d", n, answers)
	}
}

// database does something to the bot's database.
func (s *sealedLife) database(statements ...string) {
	s.Helper()
	for _, statement := range statements {
		if _, err := s.db.Matrix().Exec(s.Context(), statement); err != nil {
			s.Fatal(err)
		}
	}
}

// A homeserver may put an old ciphertext into a new event.
func TestAMessageThatIsSentASecondTimeIsNoCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beginSealed(t)
		s.share(theBot)
		create := s.seal("create")
		s.hears(create)
		s.rest()
		s.expect(1, "create")

		s.hears(create)
		s.rest()
		s.seen.expect(s.life, map[string]int{broken: 1})
		s.expect(2, "create") // it says that it could not read that

		s.hears(s.seal("list"))
		s.rest()
		s.expect(3, "create", "list")
	})
}

// Nobody has signed anna's device.
func TestAMessageOfADeviceThatMustBeSignedIsNoCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beginSealed(t, func(cfg *Config) { cfg.Encryption.CrossSigned = true })
		s.share(theBot)
		s.hears(s.seal("create"))
		s.rest()
		s.expect(1) // it says why
		s.seen.expect(s.life, map[string]int{notTrusted: 1, broken: 0, noKey: 0})
	})
}

// Somebody thought better of it while the bot was away.
func TestAMessageThatWasTakenBackIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beginSealed(t)
		s.hears(json.RawMessage(`{}`))
		s.rest()
		s.expect(0)
	})
}

// In memory the machine has used the keys by which a room key came up; only the
// database, from before, can read it when it comes again.
func TestAKeyWhoseCommitFailsComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beginSealed(t)
		s.database(`CREATE TRIGGER refuse BEFORE UPDATE OF sync_token ON crypto_account
			WHEN EXISTS (SELECT 1 FROM crypto_megolm_inbound_session) BEGIN SELECT RAISE(ABORT, 'refused'); END`)
		s.share(theBot)
		s.hears(s.seal("create"))
		s.until("the bot starts over", func() bool { return s.seen.of("started over") > 0 })
		s.database("DROP TRIGGER refuse")
		s.rest()
		s.expect(1, "create")
		s.seen.expect(s.life, map[string]int{noKey: 0, broken: 0})
	})
}

// mautrix tells nobody what it could not store, and goes on. SQLite may even have
// taken back the whole transaction, as it does when the disk is full.
func TestAKeyThatCanNotBeStoredComesAgain(t *testing.T) {
	for name, failure := range map[string]string{
		"mark of the message":        "BEFORE INSERT ON crypto_olm_message_hash WHEN (SELECT count(*) FROM crypto_olm_message_hash)=1",
		"conversation of the device": "BEFORE UPDATE ON crypto_olm_session WHEN (SELECT count(*) FROM crypto_olm_message_hash)=2",
		"key":                        "BEFORE INSERT ON crypto_megolm_inbound_session WHEN (SELECT count(*) FROM crypto_megolm_inbound_session)=1",
	} {
		for _, loss := range []string{"ABORT", "ROLLBACK"} {
			t.Run(name+" "+loss, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := beginSealed(t)
					s.database("CREATE TRIGGER refuse " + failure + " BEGIN SELECT RAISE(" + loss + ", 'refused'); END")
					s.share(theBot)
					first := s.seal("create")
					s.share(theBot)
					s.hears(first)
					s.hears(s.seal("list"))
					s.until("the bot starts over", func() bool { return s.seen.of("started over") > 0 })
					s.database("DROP TRIGGER refuse")
					s.rest()
					s.expect(2, "create", "list")
					s.seen.expect(s.life, map[string]int{noKey: 0, broken: 0})
				})
			})
		}
	}
}

// mautrix has decrypted it then, but could not note that.
func TestAMessageWaitsForTheDatabaseToTakeItsKeyBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beginSealed(t)
		s.share(theBot)
		create := s.seal("create")
		s.database("CREATE TRIGGER refuse BEFORE UPDATE ON crypto_megolm_inbound_session BEGIN SELECT RAISE(ABORT, 'refused'); END")
		s.hears(create)
		time.Sleep(10 * time.Second)
		s.expect(0)
		s.database("DROP TRIGGER refuse")
		s.rest()
		s.expect(1, "create")
		s.seen.expect(s.life, map[string]int{noKey: 0, broken: 0})
	})
}

// The first answer may have come by an Olm session that the bot can't read.
func TestAMissingKeyIsAskedForTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beginSealed(t)
		s.share() // with nobody
		s.hears(s.seal("create"))
		s.rest()
		s.server.mu.Lock()
		defer s.server.mu.Unlock()
		if n := s.server.keyRequests; n != 2 {
			t.Errorf("the bot asked %d times, want 2", n)
		}
	})
}

func TestTheWaitForAKeyGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := beginSealed(t)
		s.share() // with nobody
		began := time.Now()
		s.hears(s.seal("create"))
		s.hears(s.seal("list"))
		for range 2 {
			time.Sleep(10 * time.Second)
			s.again()
			s.expect(0)
		}
		s.rest()
		if waited := time.Since(began); waited < giveUpAfter || waited > giveUpAfter+5*time.Second {
			t.Errorf("the bot waited %s, want about %s", waited, giveUpAfter)
		}
		s.expect(1)
		s.seen.expect(s.life, map[string]int{noKey: 1})
	})
}
