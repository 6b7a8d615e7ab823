package chat

import (
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/appservice"
)

// Whoever waited for 25 seconds must not wait for the next look at the database
// too. (Encryption is off, so the sentence is dropped at once instead of sent.)
func TestTheSenderIsToldAtOnceThatAKeyDidNotCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, &homeserver{people: []id.UserID{anna}}, echo)
		l.until("the bot is there", func() bool { return l.bot.session() != nil })
		sealed := appservice.Event{
			ID: "$sealed", RoomID: "!room:x", Sender: anna.String(), Type: event.EventEncrypted.Type, Raw: []byte(`{"content":{}}`),
		}
		if err := l.db.Accept(t.Context(), "1", []appservice.Event{sealed}, nil); err != nil {
			t.Fatal(err)
		}
		in, _, err := l.db.NextEvent(t.Context(), "!room:x")
		if err != nil {
			t.Fatal(err)
		}
		lives, content := l.bot.session(), &event.EncryptedEventContent{SessionID: "session"}
		where := room{people: []id.UserID{theBot, anna}}
		if err := lives.awaitKey(t.Context(), in, content, where); err != errPostponed {
			t.Fatalf("the message does not wait: %v", err)
		}
		time.Sleep(giveUpAfter)
		if err := lives.awaitKey(t.Context(), in, content, where); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if rooms, err := l.db.RoomsWithMessages(t.Context()); err != nil || len(rooms) != 0 {
			t.Errorf("after a second the sentence still waits to be sent: %v, %v", rooms, err)
		}
	})
}
