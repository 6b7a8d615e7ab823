package appservice

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

// nastyBody is a transaction that must not get stuck.
type nastyBody struct {
	name  string
	body  string
	good  []string // ids of the events that must be committed
	aside []string // what must be set aside; "BODY" is the body itself
}

// around puts something between two good events.
func around(item string) string {
	return transactionOf(message("$before"), item, message("$after"))
}

func nested(depth int) string {
	return strings.Repeat("[", depth) + strings.Repeat("]", depth)
}

func withContent(id, content string) string {
	return strings.Replace(message(id), `"content":`, `"content":`+content+`,"old":`, 1)
}

func nastyBodies() []nastyBody {
	neighbours := []string{"$before", "$after"}
	all := []string{"$before", "$1", "$after"}
	long := `"` + strings.Repeat("a", 64<<10) + `"`
	var hundred, hundredIDs []string
	for n := range 100 {
		id := fmt.Sprintf("$%d", n)
		hundredIDs = append(hundredIDs, id)
		hundred = append(hundred, withContent(id, long))
	}
	deep := withContent("$1", nested(20_000))
	bodies := []nastyBody{
		{"an event of depth 20,000", around(deep), neighbours, []string{deep}},
		{"an event of depth 9,000", around(withContent("$1", nested(9_000))), all, nil},
		{"NUL characters in a text", around(withContent("$1", `{"body":"a\u0000b"}`)), all, nil},
		{"lone surrogates in a text", around(withContent("$1", `{"body":"\ud800 \udfff"}`)), all, nil},
		{"invalid UTF-8 in a text", around(withContent("$1", "{\"body\":\"\xff\xc0\x80\"}")), all, nil},
		{"raw control characters in a text", around("{\"event_id\":\"a\x00\n\"}"), neighbours, []string{"{\"event_id\":\"a\x00\n\"}"}},
		{"many backslashes and quotes", around(withContent("$1", `"`+strings.Repeat(`\\\"`, 5_000)+`\\"`)), all, nil},
		{"brackets in a text", around(withContent("$1", `"]}]}[{\"(]"`)), all, nil},
		{"100 events of 64 KB", transactionOf(hundred...), hundredIDs, nil},
		{"duplicate keys in an event", around(`{"event_id":"$0",` + message("$1")[1:]), all, nil},
		{"an event twice", transactionOf(message("$1"), message("$1")), []string{"$1"}, nil},
		{"huge numbers for events", around(strings.Repeat("9", 5_000) + `,1e999999,-0.0`), neighbours, []string{strings.Repeat("9", 5_000), "1e999999", "-0.0"}},
		{"a huge number as a time", around(strings.Replace(message("$1"), "1700000000000", strings.Repeat("9", 5_000), 1)), all, nil},
		{"words for events", around(`null,true,false,"x",[],{}`), neighbours, []string{"null", "true", "false", `"x"`, "[]", "{}"}},
		{"an event without a room", around(`{"event_id":"$1","type":"m.room.message","sender":"@a:b"}`), neighbours, []string{`{"event_id":"$1","type":"m.room.message","sender":"@a:b"}`}},
		{"escaped keys", strings.Replace(around(strings.Replace(message("$1"), "sender", `s\u0065nder`, 1)), "events", `\u0065vents`, 1), all, nil},
		{"white space everywhere", "\r\n\t { \"events\" : [ " + message("$before") + "\n,\t" + message("$after") + " ] } \n", neighbours, nil},
		{"two lists of events", `{"events":[` + message("$before") + `],"events":[` + message("$after") + `]}`, neighbours, nil},
		{"deep nesting beside the events", `{"ephemeral":` + nested(20_000) + `,"events":[` + message("$before") + `,` + message("$after") + `],"to_device":` + nested(20_000) + `}`, neighbours, nil},
		{"no events", `{"events":[]}`, nil, nil},
		{"nothing at all", `{}`, nil, nil},
		{"only ephemeral and to-device events", `{"ephemeral":[{"type":"m.typing"}],"de.sorunome.msc2409.to_device":[{"type":"m.room_key"}]}`, nil, nil},
		{"an empty body", ``, nil, nil},
		{"white space", ` `, nil, []string{"BODY"}},
		{"no JSON", `<html>502 Bad Gateway</html>`, nil, []string{"BODY"}},
		{"a control character before the object", "\x06{}", nil, []string{"BODY"}},
		{"null", `null`, nil, []string{"BODY"}},
		{"a number", `17`, nil, []string{"BODY"}},
		{"a text", `"events"`, nil, []string{"BODY"}},
		{"an array", `[` + message("$1") + `]`, nil, []string{"BODY"}},
		{"an open bracket", `{`, nil, []string{"BODY"}},
		{"only open brackets", strings.Repeat("[", 20_000), nil, []string{"BODY"}},
		{"only open braces", strings.Repeat(`{"events":`, 20_000), nil, []string{"BODY"}},
		{"only quotes", strings.Repeat(`"`, 20_000), nil, []string{"BODY"}},
		{"an object as events", `{"events":{"0":` + message("$1") + `}}`, nil, []string{"BODY"}},
		{"null as events", `{"events":null}`, nil, []string{"BODY"}},
		{"a text as events", `{"events":"[]"}`, nil, []string{"BODY"}},
		{"no value for events", `{"events":}`, nil, []string{"BODY"}},
		{"cut off after an event", `{"events":[` + message("$1"), []string{"$1"}, []string{"BODY"}},
		{"cut off in an event", `{"events":[` + message("$1") + `,` + message("$2")[:90], []string{"$1"}, []string{"BODY"}},
		{"cut off in a text", `{"events":[` + message("$1") + `,"abc\`, []string{"$1"}, []string{"BODY"}},
		{"cut off in a key", `{"events":[` + message("$1") + `],"even`, []string{"$1"}, []string{"BODY"}},
		{"something after the end", transactionOf(message("$1")) + `}`, []string{"$1"}, []string{"BODY"}},
		{"two bodies in one", transactionOf(message("$1")) + transactionOf(message("$2")), []string{"$1", "$2"}, []string{"BODY"}},
		{"a comma too many", `{"events":[` + message("$1") + `,]}`, []string{"$1"}, []string{"BODY"}},
		{"a comma missing", `{"events":[` + message("$1") + ` ` + message("$2") + `]}`, []string{"$1", "$2"}, []string{"BODY"}},
		{"junk before an event", `{"events":[x` + message("$1") + `]}`, nil, []string{"BODY"}},
		{"brackets that don't match", `{"events":[` + message("$1") + `,{"a":[},` + message("$2") + `]}`, []string{"$1"}, []string{"BODY"}},
		{"a flood of nonsense", transactionOf(strings.Repeat("0,", 5_000) + message("$1")), []string{"$1"}, []string{"BODY"}},
	}
	return bodies
}

func TestNothingInATransactionIsALastingError(t *testing.T) {
	for _, tc := range nastyBodies() {
		t.Run(tc.name, func(t *testing.T) {
			in := &inbox{}
			got := push(t, start(t, testConfig(in), defaultLimits()), "1", tc.body)
			if got.status != http.StatusOK || got.body != "{}" || got.length != 2 {
				t.Errorf("got %d %s (length %d)", got.status, got.body, got.length)
			}
			if !slices.Equal(in.ids(), tc.good) {
				t.Errorf("committed events: %.200q, want %.200q", in.ids(), tc.good)
			}
			want := slices.Clone(tc.aside)
			for n := range want {
				want[n] = strings.Replace(want[n], "BODY", tc.body, 1)
			}
			if !slices.Equal(in.unreadable, want) {
				t.Errorf("set aside: %.200q, want %.200q", in.unreadable, want)
			}
			if len(tc.good)+len(tc.aside) == 0 && len(in.transactions) > 0 {
				t.Error("a transaction without events was committed")
			}
		})
	}
}

// A recursive parser would need gigabytes of stack for this, and Go ends a
// process whose stack overflows.
func TestNestingOfAnyDepthIsHarmless(t *testing.T) {
	const depth = 8_000_000
	for name, body := range map[string]string{
		"inside an event":     around(nested(depth)),
		"beside the events":   `{"a":` + nested(depth) + `,"events":[` + message("$before") + `,` + message("$after") + `]}`,
		"never closed":        `{"events":[` + message("$before") + `,` + message("$after") + `,` + strings.Repeat("[", depth),
		"objects, not closed": `{"events":[` + message("$before") + `,` + message("$after") + `,` + strings.Repeat(`{"a":`, depth/4),
	} {
		t.Run(name, func(t *testing.T) {
			in := &inbox{}
			res := handle(t.Context(), New(testConfig(in)), body)
			if res.Code != http.StatusOK || !slices.Equal(in.ids(), []string{"$before", "$after"}) {
				t.Errorf("got %d, committed %q", res.Code, in.ids())
			}
		})
	}
}

func TestOnlyTheStartOfMuchNonsenseIsKept(t *testing.T) {
	for name, body := range map[string]string{
		"many pieces": transactionOf(message("$1"), strings.Repeat(" ", maxAsideBytes), strings.Repeat("0,", maxAsidePieces)+"0"),
		"much in two": transactionOf(message("$1"), strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("a", maxAsideBytes/2)+`",`, 2), ",")),
		"much in one": transactionOf(message("$1"), `"`+strings.Repeat("a", maxAsideBytes)+`"`),
	} {
		in := &inbox{}
		handle(t.Context(), New(testConfig(in)), body)
		if len(in.unreadable) != 1 || in.unreadable[0] != body[:maxAsideBytes] {
			t.Errorf("%s: set aside %d pieces", name, len(in.unreadable))
		}
		if !slices.Equal(in.ids(), []string{"$1"}) {
			t.Errorf("%s: committed %q", name, in.ids())
		}
	}
}

func TestABodyAboveTheLimitIsReadUpToIt(t *testing.T) {
	body := transactionOf(message("$1"), message("$2"), message("$3"))
	lim := defaultLimits()
	lim.body = int64(len(message("$1")) * 5 / 2)
	in := &inbox{}
	s := start(t, testConfig(in), lim)
	if got := push(t, s, "1", body); got.status != http.StatusOK {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if !slices.Equal(in.ids(), []string{"$1", "$2"}) {
		t.Errorf("committed events: %q", in.ids())
	}
	if !slices.Equal(in.unreadable, []string{body[:lim.body]}) {
		t.Errorf("set aside: %q", in.unreadable)
	}

	in.unreadable = nil
	exact := transactionOf(message("$4"))
	exact += strings.Repeat(" ", int(lim.body)-len(exact))
	if got := push(t, s, "2", exact); got.status != http.StatusOK || in.unreadable != nil {
		t.Errorf("a body of exactly the limit: got %d, set aside %q", got.status, in.unreadable)
	}
	if defaultLimits().body < 64<<20 {
		t.Error("the limit is below 64 MiB")
	}
}

func TestEventsArriveAsTheyAre(t *testing.T) {
	in := &inbox{}
	push(t, start(t, testConfig(in), defaultLimits()), "17", transactionOf(message("$1")))
	want := Event{
		ID: "$1", RoomID: "!r:example.com", Sender: "@anna:example.com", Type: "m.room.message",
		SentAt: 1700000000000, Age: 1234, Raw: []byte(message("$1")),
	}
	if len(in.events) != 1 || !reflect.DeepEqual(in.events[0], want) {
		t.Errorf("got %+v, want %+v", in.events, want)
	}
	if !slices.Equal(in.transactions, []string{"17"}) {
		t.Errorf("transaction ids: %q", in.transactions)
	}
}

func TestUnwantedTypesAreNotStored(t *testing.T) {
	in := &inbox{}
	cfg := testConfig(in)
	cfg.Wants = func(e Event) bool { return e.Type == "m.room.message" }
	s := start(t, cfg, defaultLimits())
	unwanted := strings.Replace(message("$1"), "m.room.message", "m.sticker", 1)
	odd := strings.Replace(message("$2"), "m.room.message", `\u0000`+strings.Repeat("x", 300), 1)
	if got := push(t, s, "1", transactionOf(unwanted, odd)); got.status != http.StatusOK || len(in.transactions) != 0 {
		t.Errorf("got %d, committed transactions %q", got.status, in.transactions)
	}
	push(t, s, "2", transactionOf(unwanted, message("$3"), odd, `{"type":1}`))
	if !slices.Equal(in.ids(), []string{"$3"}) || !slices.Equal(in.unreadable, []string{`{"type":1}`}) {
		t.Errorf("committed %q, set aside %q", in.ids(), in.unreadable)
	}
}

func TestAPanicWhileParsingIsNoLastingError(t *testing.T) {
	log := &logBuffer{}
	in := &inbox{}
	cfg := testConfig(in)
	cfg.Log = zerolog.New(log)
	cfg.Wants = func(e Event) bool { return e.ID != "$2" || panics() }
	body := transactionOf(message("$1"), message("$2"), message("$3"))
	if got := push(t, start(t, cfg, defaultLimits()), "1", body); got.status != http.StatusOK {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if !slices.Equal(in.ids(), []string{"$1"}) || !slices.Equal(in.unreadable, []string{body}) {
		t.Errorf("committed %q, set aside %q", in.ids(), in.unreadable)
	}
	if !strings.Contains(log.String(), "transaction_test.go") {
		t.Errorf("the log lacks the stack: %s", log.String())
	}
}

func panics() bool { panic("a mistake") }

func TestWhatCannotBeStoredIsAskedForAgain(t *testing.T) {
	away := errors.New("the database is away")
	in := &inbox{onAccept: func(context.Context) error { return away }}
	s := start(t, testConfig(in), defaultLimits())
	for _, body := range []string{transactionOf(message("$1")), `null`} {
		got := push(t, s, "1", body)
		if got.status != http.StatusServiceUnavailable || errcode(got.body) != "M_UNKNOWN" || strings.Contains(got.body, away.Error()) {
			t.Errorf("%s: got %d %s", body, got.status, got.body)
		}
	}
	if got := push(t, s, "2", `{"events":[]}`); got.status != http.StatusOK {
		t.Errorf("with nothing to store: got %d", got.status)
	}
	in.onAccept = nil
	push(t, s, "1", transactionOf(message("$1")))
	if !slices.Equal(in.ids(), []string{"$1"}) {
		t.Errorf("sent again: committed %q", in.ids())
	}
}

func TestATransactionWaits20SecondsForTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &inbox{onAccept: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		began := time.Now()
		res := handle(t.Context(), New(testConfig(in)), transactionOf(message("$1")))
		if waited := time.Since(began); waited != 20*time.Second {
			t.Errorf("waited %v", waited)
		}
		if res.Code != http.StatusServiceUnavailable || errcode(res.Body.String()) != "M_UNKNOWN" {
			t.Errorf("got %d %s", res.Code, res.Body)
		}
	})
}

func TestAHomeserverThatHangsUpDoesNotStopTheCommit(t *testing.T) {
	ctx, hangUp := context.WithCancel(t.Context())
	in := &inbox{onAccept: func(accepting context.Context) error {
		hangUp()
		return accepting.Err()
	}}
	handle(ctx, New(testConfig(in)), transactionOf(message("$1")))
	if !slices.Equal(in.ids(), []string{"$1"}) {
		t.Errorf("committed %q", in.ids())
	}
}

func TestATransactionThatBreaksOffIsNotCommitted(t *testing.T) {
	in := &inbox{}
	s := start(t, testConfig(in), defaultLimits())
	conn := dial(t, s)
	body := transactionOf(message("$1"))
	send(t, conn, fmt.Sprintf("PUT /transactions/1?access_token=%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", hsToken, len(body)+1, body))
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got := received(t, conn); !strings.HasPrefix(got, "HTTP/1.1 408 ") {
		t.Errorf("got %q", got)
	}
	if len(in.transactions) != 0 {
		t.Errorf("committed transactions %q", in.transactions)
	}
}

func TestTheSameTransactionAtTheSameTime(t *testing.T) {
	const senders = 20
	in, arrived, release := held()
	s := start(t, testConfig(in), defaultLimits())
	var group sync.WaitGroup
	for range senders {
		group.Go(func() {
			if got := push(t, s, "1", transactionOf(message("$1"), message("$2"))); got.status != http.StatusOK {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	for range senders {
		<-arrived // none waits for another
	}
	close(release)
	group.Wait()
	if len(in.transactions) != senders || !slices.Equal(in.ids(), []string{"$1", "$2"}) {
		t.Errorf("%d transactions reached the inbox; committed %q", len(in.transactions), in.ids())
	}
}

func TestMemoryGrowsNoFasterThanTheBody(t *testing.T) {
	for name, piece := range map[string]string{
		"good events": message("$1") + ",",
		"nonsense":    "0,",
		"brackets":    "[",
		"backslashes": `\\`,
		"quotes":      `"`,
	} {
		allocated := func(times int) float64 {
			s := New(testConfig(&inbox{}))
			body := `{"events":[` + strings.Repeat(piece, times)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			s.parse(body)
			runtime.ReadMemStats(&after)
			return float64(after.TotalAlloc - before.TotalAlloc)
		}
		if ratio := allocated(20_000) / allocated(5_000); ratio > 6 {
			t.Errorf("%s: four times the body takes %.1f times the memory", name, ratio)
		}
	}
}
