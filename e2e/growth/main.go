// Growth gives the bot many commands, half of them in encrypted rooms, prints how
// much memory it occupies meanwhile, and fails if that grows. The homeserver is a
// stand-in: a real one would take an hour.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/lab"
	"matrix-registration-bot/e2e/standin"
)

var commands = flag.Int("commands", 20_000, "how many `COMMANDS` to give")

const (
	rooms = 20
	// warmUp is after how many commands memory may not grow any more, by more than
	// growth bytes.
	warmUp = 1_000
	growth = 10_000_000
	// patience is how long the answers to one command in each room may take.
	patience = time.Minute

	domain = "example.com"
	bot    = "@registration-bot:" + domain
	person = "@mia:" + domain
)

// round is what is said in each room, again and again. {n} is a number of its own.
var round = []string{create, "show growth-{n}", "list", remove, "whoami"}

const (
	create = "create token=growth-{n}"
	remove = "delete growth-{n}"
)

func main() {
	flag.Parse()
	lab.Run(measure)
}

func measure(ctx context.Context, l *lab.Lab) error {
	homeserver := standin.Open(bot, person)
	defer homeserver.Close()
	b, err := l.NewBot(ctx, "growth", "--domain", domain, "--homeserver", homeserver.URL, "--admin", person)
	if err != nil {
		return err
	}
	if err := b.Launch("API_TOKEN=" + standin.AdminToken); err != nil {
		return err
	}
	if err := b.Reached(ctx); err != nil { // and so has its keys
		return err
	}
	mia, err := openDevice(ctx, homeserver.URL)
	if err != nil {
		return err
	}

	var before int
	for given := 0; given < *commands; {
		if err := say(ctx, b, homeserver, mia, given); err != nil {
			return fmt.Errorf("after %d commands: %w\n%s", given, err, b.Log())
		}
		given += rooms
		if given%1_000 != 0 {
			continue
		}
		memory, err := b.Memory()
		if err != nil {
			return err
		}
		fmt.Printf("%6d commands %6.1f MB\n", given, float64(memory)/1e6)
		if given == warmUp {
			before = memory
		} else if memory > before+growth {
			return fmt.Errorf("memory grew by more than %d MB since the first %d commands", growth/1_000_000, warmUp)
		}
	}
	return b.Stop()
}

// say gives one command in each room, and waits until all are answered.
func say(ctx context.Context, b *lab.Bot, homeserver *standin.Homeserver, mia *device, given int) error {
	turn := given / rooms
	var events []event.Event
	open := map[string]bool{} // by event id: whether the answer must be encrypted
	for n := range rooms {
		text := strings.ReplaceAll(round[turn%len(round)], "{n}", fmt.Sprintf("%d-%d", n, turn/len(round)))
		e := event.Event{
			ID: id.EventID(fmt.Sprintf("$command%d", given+n)), RoomID: id.RoomID(fmt.Sprintf("!room%d:%s", n, domain)), Sender: person,
			Timestamp: time.Now().UnixMilli(), Type: event.EventMessage,
			Content: event.Content{Parsed: &event.MessageEventContent{MsgType: event.MsgText, Body: text}},
		}
		sealed := n%2 == 0
		if sealed {
			e.RoomID = id.RoomID(fmt.Sprintf("%s%d:%s", standin.SealedRoom, n, domain))
			if err := mia.seal(ctx, &e); err != nil {
				return err
			}
		}
		events = append(events, e)
		open[e.ID.String()] = sealed
	}
	transaction, err := json.Marshal(map[string]any{"events": events})
	if err != nil {
		return err
	}
	status, answer, err := b.Push(ctx, fmt.Sprint(given), string(transaction))
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("a transaction was answered %d %s", status, answer)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for len(open) > 0 {
		select {
		case answer := <-homeserver.Answers():
			sealed, ok := open[answer.To]
			if !ok {
				return fmt.Errorf("%s was answered twice", answer.To)
			}
			if answer.Encrypted != sealed {
				return fmt.Errorf("the answer to %s is encrypted: %t", answer.To, answer.Encrypted)
			}
			delete(open, answer.To)
		case <-ctx.Done():
			return fmt.Errorf("%d commands were not answered: %w", len(open), ctx.Err())
		}
	}
	return done(homeserver, turn)
}

// done checks what the commands of a turn have come to, so that an answer that
// says that one could not be read is not enough.
func done(homeserver *standin.Homeserver, turn int) error {
	want := 0
	if i := turn % len(round); slices.Index(round, create) <= i && i < slices.Index(round, remove) {
		want = rooms
	}
	if got := homeserver.Tokens(); got != want {
		return fmt.Errorf("there are %d tokens, want %d", got, want)
	}
	return nil
}
