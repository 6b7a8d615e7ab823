// Growth gives the bot many commands, prints how much memory it occupies
// meanwhile, and fails if that grows. The homeserver is a stand-in, without
// encryption: a real one would take an hour.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

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
var round = []string{"create token=growth-{n}", "show growth-{n}", "list", "delete growth-{n}", "whoami"}

func main() {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := measure(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func measure(ctx context.Context) error {
	l, err := lab.Open(os.Stderr)
	if err != nil {
		return err
	}
	defer l.Close()
	homeserver := standin.Open(bot, person)
	defer homeserver.Close()
	b, err := l.NewBot(ctx, "growth", "--domain", domain, "--homeserver", homeserver.URL, "--admin", person)
	if err != nil {
		return err
	}
	if err := b.Launch("ENCRYPTION_ENABLED=false", "API_TOKEN="+standin.AdminToken); err != nil {
		return err
	}
	if err := b.Ready(ctx); err != nil {
		return err
	}

	var before int
	for given := 0; given < *commands; {
		if err := say(ctx, b, homeserver, given); err != nil {
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
func say(ctx context.Context, b *lab.Bot, homeserver *standin.Homeserver, given int) error {
	var events []string
	open := map[string]bool{}
	for room := range rooms {
		turn := given / rooms
		id := fmt.Sprintf("$command%d", given+room)
		text := strings.ReplaceAll(round[turn%len(round)], "{n}", fmt.Sprintf("%d-%d", room, turn/len(round)))
		events = append(events, fmt.Sprintf(`{"event_id": %q, "room_id": "!room%d:%s", "sender": %q, "type": "m.room.message",
			"origin_server_ts": %d, "content": {"msgtype": "m.text", "body": %q}}`, id, room, domain, person, time.Now().UnixMilli(), text))
		open[id] = true
	}
	status, answer, err := b.Push(ctx, fmt.Sprint(given), `{"events": [`+strings.Join(events, ",")+`]}`)
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
		case id := <-homeserver.Answers():
			if !open[id] {
				return fmt.Errorf("%s was answered twice", id)
			}
			delete(open, id)
		case <-ctx.Done():
			return fmt.Errorf("%d commands were not answered: %w", len(open), ctx.Err())
		}
	}
	return nil
}
