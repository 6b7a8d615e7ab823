package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"matrix-registration-bot/e2e/lab"
)

const (
	warmUp = 5 // rounds that don't count
	bursts = 3
)

// What the bot says to a command: its number of messages.
const (
	whoami = 1
	create = 2 // what the token is, and a message to forward
)

type durations []time.Duration

// median is 0 if there are none.
func (d durations) median() time.Duration {
	if len(d) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}

// measurement is what was measured on one site.
type measurement struct {
	site  *lab.Site
	times map[string]durations
}

func (m *measurement) note(what string, took time.Duration, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	m.times[what] = append(m.times[what], took)
	return nil
}

// round measures everything once.
func (m *measurement) round(ctx context.Context, all ...voices) error {
	began := time.Now()
	err := m.site.CreateToken(ctx, lab.Token{Text: rand.Text()})
	if err := m.note("token", time.Since(began), err); err != nil {
		return err
	}
	for _, v := range all {
		took, err := carry(ctx, v, 1)
		if err := m.note("message "+v.kind, took, err); err != nil {
			return err
		}
		took, err = command(ctx, v, "whoami", 1, whoami)
		if err := m.note("whoami "+v.kind, took, err); err != nil {
			return err
		}
		took, err = command(ctx, v, "create", 1, create)
		if err := m.note("create "+v.kind, took, err); err != nil {
			return err
		}
	}
	return nil
}

// bursts measures many messages at once.
func (m *measurement) bursts(ctx context.Context, v voices) error {
	took, err := carry(ctx, v, burst)
	if err := m.note("messages "+v.kind, took, err); err != nil {
		return err
	}
	took, err = command(ctx, v, "create", burst, create)
	return m.note("creates "+v.kind, took, err)
}

// print writes the table: each time beside the least that the homeserver needs
// for it, which is one way for each message that somebody sends, and one call of
// the admin API for each token.
func (m *measurement) print(out io.Writer, database string) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	token := m.times["token"].median()
	fmt.Fprintf(table, "\n%s\tmedian\tfloor\tratio\t\n", database)
	fmt.Fprintf(table, "a token by the admin API\t%s\t\t\t\n", milliseconds(token))
	for _, kind := range []string{"plain", "encrypted"} {
		message, messages := m.times["message "+kind].median(), m.times["messages "+kind].median()
		fmt.Fprintf(table, "a message, person to person, %s\t%s\t\t\t\n", kind, milliseconds(message))
		fmt.Fprintf(table, "%d messages, person to person, %s\t%s\t\t\t\n", burst, kind, milliseconds(messages))
		for _, row := range []struct {
			what, name string
			floor      time.Duration
		}{
			{"whoami, ", "whoami ", 2 * message},
			{"create, ", "create ", 2*message + token},
			{fmt.Sprintf("%d create, ", burst), "creates ", (1+create)*messages + burst*token},
		} {
			took := m.times[row.name+kind].median()
			fmt.Fprintf(table, "%s\t%s\t%s\t%.2f\t\n", row.what+kind, milliseconds(took), milliseconds(row.floor), took.Seconds()/row.floor.Seconds())
		}
	}
	_ = table.Flush() // standard output
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
}
