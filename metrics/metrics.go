// Package metrics counts what the bot does and serves it to Prometheus. It has
// no name of a person, a room or a token anywhere: labels come from short lists
// that the program knows.
//
// It is small on purpose: the text format is a page of rules, and the usual
// libraries for it take more memory than they would save lines here.
package metrics

import (
	"sync"
	"time"
)

// Metrics are all series of the bot. Its methods return at once and are safe for
// concurrent use.
type Metrics struct {
	version string
	started time.Time

	commands     *counter
	handling     *histogram
	answering    *histogram
	calls        *counter
	calling      *histogram
	unreadable   *counter
	setAside     *counter
	handlingErrs *counter
	sendingErrs  *counter
	dropped      *counter
	startsOver   *counter

	mu       sync.Mutex
	tokens   map[string]int // by state; nil = not looked yet
	lookedAt time.Time
}

// New makes the series of a program of this version. reasons are those of
// Unreadable: each is there from the start, so that its first rise is seen.
func New(version string, reasons ...string) *Metrics {
	var why []string
	for _, reason := range reasons {
		why = append(why, labels("reason", reason))
	}
	return &Metrics{
		version: version, started: time.Now(),
		commands:     newCounter("commands_total", "Commands that were answered, by name and result."),
		handling:     newHistogram("command_seconds", "Time from the beginning of a command to the commit of its answer."),
		answering:    newHistogram("answer_seconds", "Time from the arrival of a message to the sending of its answer."),
		calls:        newCounter("http_calls_total", "Requests to the homeserver and to the token API, by HTTP status; none: no answer."),
		calling:      newHistogram("http_call_seconds", "Time to the answer of a request, without those to /sync, which wait for news."),
		unreadable:   newCounter("unreadable_messages_total", "Encrypted messages that could not be used, by reason.", why...),
		setAside:     newCounter("events_set_aside_total", "Events that were given up after several tries.", ""),
		handlingErrs: newCounter("handling_failures_total", "Failed tries to handle an event.", ""),
		sendingErrs:  newCounter("sending_failures_total", "Failed tries to send a message.", ""),
		dropped:      newCounter("messages_dropped_total", "Messages that were given up because they can't be sent.", ""),
		startsOver:   newCounter("starts_over_total", "How often the chat began anew from the database after a failure.", ""),
	}
}

// Command counts an answered command.
func (m *Metrics) Command(name, result string, took time.Duration) {
	m.commands.add(labels("command", name, "result", result))
	m.handling.observe(labels("command", name), took)
}

// Answered implements chat.Observer.
func (m *Metrics) Answered(after time.Duration) { m.answering.observe("", after) }

// Unreadable implements chat.Observer.
func (m *Metrics) Unreadable(reason string) { m.unreadable.add(labels("reason", reason)) }

// HandlingFailed implements chat.Observer.
func (m *Metrics) HandlingFailed() { m.handlingErrs.add("") }

// SetAside implements chat.Observer.
func (m *Metrics) SetAside() { m.setAside.add("") }

// SendingFailed implements chat.Observer.
func (m *Metrics) SendingFailed() { m.sendingErrs.add("") }

// Dropped implements chat.Observer.
func (m *Metrics) Dropped() { m.dropped.add("") }

// StartedOver implements chat.Observer.
func (m *Metrics) StartedOver() { m.startsOver.add("") }

// Tokens notes how many registration tokens the server has in each state.
func (m *Metrics) Tokens(byState map[string]int, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens, m.lookedAt = byState, at
}

// Snapshot is what is looked at only when somebody asks for the metrics.
type Snapshot struct {
	Up            map[string]bool // whether a part works, by its name
	Inbox, Outbox *Queue          // nil: not known
}

// Queue is what waits.
type Queue struct {
	Length int
	Age    time.Duration // of the oldest; 0 if there is none
}

// write puts all series on a page.
func (m *Metrics) write(p *page, s Snapshot) {
	p.family("build_info", gauge, "Which program this is; always 1.")
	p.sample("", labels("version", m.version, "goversion", goVersion()), 1)

	p.family("up", gauge, "Whether a part works: 1 or 0.")
	writeSamples(p, "part", s.Up, func(works bool) float64 {
		if works {
			return 1
		}
		return 0
	})
	p.queue("inbox", "Events that wait to be handled", s.Inbox)
	p.queue("outbox", "Messages that wait to be sent", s.Outbox)

	m.mu.Lock()
	if tokens, at := m.tokens, m.lookedAt; tokens != nil {
		p.family("tokens", gauge, "Registration tokens on the server, by state, at the last look.")
		writeSamples(p, "state", tokens, func(n int) float64 { return float64(n) })
		p.family("tokens_looked_timestamp_seconds", gauge, "When the bot last looked at the tokens.")
		p.sample("", "", seconds(at))
	}
	m.mu.Unlock()

	for _, c := range []*counter{m.commands, m.calls, m.unreadable, m.handlingErrs, m.setAside, m.sendingErrs, m.dropped, m.startsOver} {
		c.write(p)
	}
	for _, h := range []*histogram{m.handling, m.answering, m.calling} {
		h.write(p)
	}
	p.process(m.started)
}

func (p *page) queue(name, what string, q *Queue) {
	if q == nil {
		return
	}
	p.family(name+"_length", gauge, what+".")
	p.sample("", "", float64(q.Length))
	p.family(name+"_oldest_seconds", gauge, what+": the age of the oldest; 0: there is none.")
	p.sample("", "", q.Age.Seconds())
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
