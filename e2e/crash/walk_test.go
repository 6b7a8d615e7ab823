//go:build e2e

package crash

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/lab"
)

// walk plays one command again and again: first to learn which crash points it
// meets, then once for each of them, with a crash there.
type walk struct {
	*testing.T
	*stage
	room
	encrypted bool
	command   command
	play      *play // the present one
}

// room is what the admin's client can do in the chat with the bot.
type room interface {
	Say(ctx context.Context, text string) (id.EventID, error)
	React(ctx context.Context, message id.EventID, key string) error
	Ask(ctx context.Context, text string) (lab.Message, error)
	Hear(ctx context.Context) (lab.Message, error)
	Marks(ctx context.Context, message id.EventID, n int) ([]lab.Reaction, error)
}

// play is one time that the command is given.
type play struct {
	before   []string    // the tokens that there were
	name     string      // for what the command makes, new each time
	question lab.Message // what the command answers
	said     id.EventID  // the command; empty if it is a reaction
	heard    []lab.Message
	asked    id.EventID // whoami, which ends the play: after its answer the bot has nothing more to say
}

// through walks through all points, or a quarter of them: each fourth,
// beginning with the given one.
func (w *walk) through(all bool, quarter int) {
	// What is met only once, like asking for the devices of somebody new, can't
	// be met again on purpose.
	first := w.count()
	points := slices.DeleteFunc(w.count(), func(point string) bool { return !slices.Contains(first, point) })
	walked := 0
	for i, point := range points {
		if isBackground(point) || !all && i%4 != quarter%4 {
			continue
		}
		passed := w.Run(point, func(t *testing.T) {
			at := *w
			at.T = t
			at.crash(point)
		})
		if !passed {
			w.FailNow() // the bot may be in any state
		}
		walked++
	}
	w.Logf("crashed at %d of %d points", walked, len(points))
}

// crash crashes at one point. What comes over /sync may come in other portions
// than when the points were counted.
func (w *walk) crash(point string) {
	const tries = 3
	for range tries {
		if !slices.Contains(w.once(point), point) {
			continue
		}
		return
	}
	w.Errorf("the point was met when points were counted, and not again in %d tries", tries)
}

// isBackground tells whether a point belongs to /ready, which finds out at any
// time whether the database can be written.
func isBackground(point string) bool { return strings.Contains(point, " commit insert settings #") }

// count returns the points that the command meets, and checks that the wrappers
// work: see enough.
func (w *walk) count() (points []string) {
	w.Helper()
	points = w.once("")
	if w.enough(points) != nil { // what goes on by itself may just have begun when counting did
		points = w.once("")
		w.must(w.enough(points))
	}
	return points
}

// enough checks that each request and each commit that was counted without the
// wrappers has its two points.
func (w *walk) enough(points []string) error {
	met := map[string]int{}
	for _, point := range points {
		when, what, _ := strings.Cut(point, " ")
		switch {
		case strings.Contains(what, "/sync #"): // begins and ends at any time
		case strings.HasPrefix(what, "commit "):
			met[when+" a commit"]++
		default:
			met[when+" a request"]++
		}
	}
	requests, commits := len(w.calls.requests), w.calls.commits
	w.Logf("%d requests and %d commits, points: %v", requests, commits, met)
	if requests == 0 || commits == 0 {
		return fmt.Errorf("%d requests and %d commits were counted", requests, commits)
	}
	if min(met["before a request"], met["after a request"]) < requests || min(met["before a commit"], met["after a commit"]) < commits {
		return fmt.Errorf("%d commits and the requests\n%s\nhave only the points\n%s", commits,
			strings.Join(w.calls.requests, "\n"), strings.Join(points, "\n"))
	}
	return nil
}

// once gives the command, with a crash at the given point if it meets it, and
// checks what comes of it. It returns the points that were met up to there, or up to the end
// of the command.
func (w *walk) once(point string) []string {
	w.Helper()
	if w.command.once != nil {
		return w.command.once(w, point)
	}
	w.play = &play{name: w.newName(), before: w.tokens()}
	w.must(w.command.prepare(w))
	w.must(w.ledger.Idle(w.Context()))
	met := w.surviving(point, func() {
		var err error
		w.play.said, err = w.command.give(w)
		w.must(err)
	}, w.converse)
	w.check()
	return commandsOwn(met)
}

// surviving begins something, with a crash at the given point if it meets it,
// and goes on to its end, with the bot started again if it has crashed. It
// returns the points that were met up to there.
func (w *walk) surviving(point string, begin func(), goOn func(ctx context.Context) error) (met []string) {
	w.Helper()
	w.must(w.bot.Arm(point))
	if point == "" {
		w.must(w.calls.begin(w.Context()))
	}
	crashed := w.bot.Crashed()
	alive, ended := context.WithCancel(w.Context())
	defer ended()
	go func() {
		select {
		case <-crashed:
			ended()
		case <-alive.Done():
		}
	}()
	begin()
	err := goOn(alive)
	met, disarmErr := w.bot.Disarm()
	w.must(disarmErr)
	if slices.Contains(met, point) {
		<-crashed // at any moment, if it has not yet
	}
	select {
	case <-crashed:
		if !w.bot.Killed() {
			w.Fatalf("the bot ended by itself:\n%s", w.bot.Log())
		}
		w.must(w.bot.Start(w.Context()))
		w.must(goOn(w.Context()))
	default:
		w.must(err)
	}
	return met
}

// converse hears the answer, then asks for another one, which the bot gives
// after all that it has to say about the command. It can be called again when
// the bot has crashed in between.
func (w *walk) converse(ctx context.Context) error {
	p := w.play
	for len(p.heard) < w.command.answers && p.asked == "" {
		if err := w.hear(ctx); err != nil {
			return err
		}
	}
	if w.command.marks > 0 {
		if _, err := w.Marks(ctx, p.heard[0].ID, w.command.marks); err != nil {
			return err
		}
	}
	if p.asked == "" {
		if err := w.Settled(ctx); err != nil {
			return err
		}
		if err := w.end(ctx); err != nil {
			return err
		}
		// Not ctx: when the bot crashes now, this is sent nevertheless.
		asked, err := w.Say(w.Context(), "whoami")
		if err != nil {
			return err
		}
		p.asked = asked
	}
	for p.heard[len(p.heard)-1].InReplyTo != p.asked {
		if err := w.hear(ctx); err != nil {
			return err
		}
	}
	return nil
}

// end waits until nothing is left to do, and stops counting.
func (w *walk) end(ctx context.Context) error {
	if err := w.ledger.Idle(ctx); err != nil {
		return err
	}
	return w.calls.end()
}

func (w *walk) hear(ctx context.Context) error {
	message, err := w.Hear(ctx)
	if err == nil {
		w.play.heard = append(w.play.heard, message)
	}
	return err
}

// commandsOwn leaves out the points from the arrival of whoami on.
func commandsOwn(points []string) []string {
	if end := slices.Index(points, "before commit insert inbox #2"); end >= 0 {
		return points[:end]
	}
	return points
}

// check checks that the command had its effect exactly once and was answered
// exactly once and truthfully, and that the bot's database says so too.
func (w *walk) check() {
	w.Helper()
	p := w.play
	answers := p.heard[:len(p.heard)-1]
	if len(answers) != w.command.answers {
		w.Fatalf("want %d answers, heard %d: %+v", w.command.answers, len(answers), answers)
	}
	if answers[0].InReplyTo != p.said {
		w.Fatalf("the answer to %s is one to %q: %s", p.said, answers[0].InReplyTo, answers[0].Body)
	}
	for _, message := range p.heard {
		if message.Encrypted != w.encrypted {
			w.Fatalf("encrypted: %t, want %t: %s", message.Encrypted, w.encrypted, message.Body)
		}
	}
	marks, err := w.Marks(w.Context(), answers[0].ID, w.command.marks)
	w.must(err)
	if len(marks) != w.command.marks {
		w.Fatalf("want %d marks under the answer, there are %d: %+v", w.command.marks, len(marks), marks)
	}
	w.checkLedger()
	w.command.check(w, answers)
}

func (w *walk) checkLedger() {
	w.Helper()
	event := w.play.said
	var err error
	if event == "" {
		event, err = w.ledger.LastReaction(w.Context())
		w.must(err)
	}
	entry, err := w.ledger.Entry(w.Context(), event)
	w.must(err)
	c := w.command
	w.same("inbox", entry.Inbox, slices.Repeat([]string{"handled"}, 1))
	w.same("steps", entry.Steps, slices.Repeat([]string{"done"}, c.steps))
	w.same("outbox", entry.Messages, slices.Repeat([]string{"delivered"}, c.answers+c.marks))
	w.same("audit", entry.Audit, slices.Repeat([]string{"done"}, c.effects))
}

func (w *walk) same(what string, got, want []string) {
	w.Helper()
	if !slices.Equal(got, want) {
		w.Fatalf("%s: %q, want %q", what, got, want)
	}
}

// says checks that a message holds all of these words.
func (w *walk) says(message lab.Message, words ...string) {
	w.Helper()
	for _, word := range words {
		if !strings.Contains(message.Body, word) {
			w.Fatalf("the bot should have said %q, but said:\n%s", word, message.Body)
		}
	}
}

// tokens are those that Synapse has, sorted.
func (w *walk) tokens() []string {
	w.Helper()
	tokens, err := w.Tokens(w.Context())
	w.must(err)
	var texts []string
	for text := range tokens {
		texts = append(texts, text)
	}
	slices.Sort(texts)
	return texts
}

func (w *walk) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%v\nthe bot's log:\n%s", err, w.bot.Log())
	}
}

// newName is a word that was not used before.
func (w *walk) newName() string {
	w.names++
	return fmt.Sprintf("name-%d", w.names)
}
