// Package commands is what a person can say to the bot: the table of
// commands, how their text is read, and one handler for each.
package commands

import (
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/locale"
)

// Message is something that a person wrote or a reaction that they set,
// decrypted and checked to be theirs.
type Message struct {
	EventID   id.EventID
	RoomID    id.RoomID
	Sender    id.UserID
	SentAt    time.Time     // origin_server_ts: the sender's server's clock
	Waited    time.Duration // how long it was on the way and in the inbox
	Direct    bool          // the room holds exactly the bot and this person
	Encrypted bool          // the message was encrypted; for a reaction, which never is: the room is
	Mentioned bool          // m.mentions names the bot

	Text       string                        // an m.text body without its reply fallback; "" for a reaction
	Structured *event.MSC4391BotCommandInput // the same as the client took it apart; mostly nil
	Reaction   *Reaction                     // nil for a text
}

// Reaction is an emoji or word that a person attached to one of the bot's
// questions.
type Reaction struct {
	Question id.EventID // the event id of the command that made the bot ask
	Key      string     // "confirm", "cancel" or anything else
}

// Reply is what a handler wants to happen, in this order: the steps are
// done (each exactly once), then the texts are sent. A reply with steps has no
// texts yet: Command.Report writes them when the steps are done.
type Reply struct {
	Texts    []Text
	Steps    []Step
	Question *Question // asked by the last text; the bot sets the reactions "confirm" and "cancel" under it

	// Committed is to be called when the reply is committed; nil = nothing to do.
	Committed func()
}

// Text is one message of the bot.
type Text struct {
	locale.Text      // Plain and HTML
	Forward     bool // to be passed on to a friend as it is: sent as m.text, without mentions
}

// Question is an open question of the bot to one person.
type Question struct {
	ID      id.EventID // the event id of the command that made the bot ask
	RoomID  id.RoomID
	Asker   id.UserID // who has to answer
	Command string    // the command that goes on after "confirm"
	Tokens  []string  // exactly what was asked about
	Words   []string  // or what the command was given, which is read again
	AskedAt time.Time // origin_server_ts of the bot's message; zero while it is not delivered
}
