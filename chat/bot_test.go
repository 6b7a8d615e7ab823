package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
)

const (
	anna = id.UserID("@anna:x")
	ben  = id.UserID("@ben:x")
)

func TestAnEventThatFailsForEverIsSetAsideAndItsSenderTold(t *testing.T) {
	failure := errors.New("nobody thought of this")
	fails := func(context.Context) (commands.Reply, error) { return commands.Reply{}, failure }
	panics := func(context.Context) (commands.Reply, error) { panic(failure) }
	poisons := map[id.RoomID]handler{
		"!handling-fails:x":  func(context.Context, commands.Message) (commands.Finish, error) { return nil, failure },
		"!handling-panics:x": func(context.Context, commands.Message) (commands.Finish, error) { panic(failure) },
		"!end-fails:x":       func(context.Context, commands.Message) (commands.Finish, error) { return fails, nil },
		"!end-panics:x":      func(context.Context, commands.Message) (commands.Finish, error) { return panics, nil },
		"!no-end:x":          func(context.Context, commands.Message) (commands.Finish, error) { return nil, nil },
	}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		tries := map[id.RoomID]int{}
		l := begin(t, &homeserver{people: []id.UserID{anna, ben}}, func(ctx context.Context, m commands.Message) (commands.Finish, error) {
			if m.Text != "poison" {
				return echo(ctx, m)
			}
			mu.Lock()
			tries[m.RoomID]++
			mu.Unlock()
			return poisons[m.RoomID](ctx, m)
		})
		began := time.Now()
		for room := range poisons {
			l.hears(room, anna, "poison")
			l.hears(room, ben, "hello")
			l.hears(room, anna, "and now")
		}
		for room := range poisons {
			l.answered(room, "hello", l.bot.text("setaside", nil).Plain, "and now")
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it was given up after %s", took)
		}
		mu.Lock()
		defer mu.Unlock()
		for room, n := range tries {
			if n != maxTries {
				t.Errorf("%s: it was tried %d times, want %d", room, n, maxTries)
			}
		}
	})
}

// What only waiting can mend is never set aside.
func TestAnEventThatHasToWaitIsHandledInTheEnd(t *testing.T) {
	causes := map[id.RoomID]error{
		"!unsettled:x": fmt.Errorf("creating: %w", commands.ErrUnsettled),
		"!database:x":  fmt.Errorf("reading: %w", io.ErrUnexpectedEOF),
		"!time:x":      context.DeadlineExceeded,
	}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		tries := map[id.RoomID]int{}
		l := begin(t, &homeserver{people: []id.UserID{anna}}, func(ctx context.Context, m commands.Message) (commands.Finish, error) {
			mu.Lock()
			defer mu.Unlock()
			if tries[m.RoomID]++; tries[m.RoomID] < 10*maxTries {
				return nil, causes[m.RoomID]
			}
			return echo(ctx, m)
		})
		for room := range causes {
			l.hears(room, anna, "hello")
		}
		for room := range causes {
			l.answered(room, "hello")
		}
	})
}

// A handler that never returns is cut off, and holds up only who it is for.
func TestAHandlerThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := 0
		l := begin(t, &homeserver{people: []id.UserID{anna, ben}}, func(ctx context.Context, m commands.Message) (commands.Finish, error) {
			if m.Text == "hang" && hung == 0 {
				hung++
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return echo(ctx, m)
		})
		began := time.Now()
		l.hears("!hanging:x", anna, "hang")
		l.hears("!other:x", ben, "hello")
		l.answered("!other:x", "hello")
		if waited := time.Since(began); waited > handleTime/2 {
			t.Errorf("another room waited for %s", waited)
		}
		l.answered("!hanging:x", "hang")
	})
}

// However many rooms the homeserver does not answer for, the others wait no
// longer than one request may take.
func TestManyRoomsThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &homeserver{people: []id.UserID{anna}}
		l := begin(t, server, echo)
		server.spoil(to("!hanging", silent), nil)
		for n := range atOnce + 1 {
			l.hears(id.RoomID(fmt.Sprintf("!hanging%d:x", n)), anna, "hello")
		}
		time.Sleep(time.Second)
		began := time.Now()
		l.hears("!free:x", anna, "hello")
		l.answered("!free:x", "hello")
		if waited := time.Since(began); waited > 2*callTime {
			t.Errorf("a room that is fine waited for %s", waited)
		}
		server.spoil(nil, nil)
		for n := range atOnce + 1 {
			l.answered(id.RoomID(fmt.Sprintf("!hanging%d:x", n)), "hello")
		}
	})
}

func TestAHomeserverThatIsSilentAtTheStart(t *testing.T) {
	for _, part := range []string{"/register", "/devices", "/profile", "/joined_rooms", "/ping"} {
		t.Run(strings.TrimPrefix(part, "/"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &homeserver{people: []id.UserID{anna}}
				began := time.Now()
				server.spoil(to(part, func(r *http.Request) (*http.Response, error) {
					if time.Since(began) < time.Second {
						return silent(r)
					}
					return nil, nil
				}), nil)
				l := begin(t, server, echo)
				l.hears("!room:x", anna, "hello")
				l.answered("!room:x", "hello")
				if waited := time.Since(began); waited > 2*time.Minute {
					t.Errorf("the bot came to itself after %s", waited)
				}
			})
		})
	}
}

// Synapse forgets transaction ids after a day: then the bot looks in the room.
func TestTheHomeserverIsAwayForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &homeserver{people: []id.UserID{anna}}
		l := begin(t, server, echo)
		server.spoil(to("/!request-lost:x/send/", away), to("/!answer-lost:x/send/", away))
		rooms := []id.RoomID{"!request-lost:x", "!answer-lost:x"}
		for _, room := range rooms {
			l.hears(room, anna, "one")
			l.hears(room, anna, "two")
		}
		time.Sleep(25 * time.Hour)
		server.spoil(nil, nil)
		for _, room := range rooms {
			l.hears(room, anna, "three")
			l.answered(room, "one", "two", "three")
		}
	})
}

// Retries must not wear the homeserver out, nor wait for ever.
func TestSendsAreTriedAgainWithGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &homeserver{people: []id.UserID{anna}}
		l := begin(t, server, echo)
		var tries []time.Time
		server.spoil(to("/send/", func(*http.Request) (*http.Response, error) {
			tries = append(tries, time.Now())
			return says(http.StatusBadGateway, "<html>"), nil
		}), nil)
		l.hears("!room:x", anna, "hello")
		time.Sleep(10 * time.Minute)
		l.stop()
		var longest time.Duration
		for i := range tries[1:] {
			longest = max(longest, tries[i+1].Sub(tries[i]))
		}
		if len(tries) < 10 || len(tries) > 60 || longest > 2*maxPause {
			t.Errorf("%d tries in ten minutes, the longest pause %s", len(tries), longest)
		}
	})
}

func TestStoppingFinishesWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := make(chan struct{})
		l := begin(t, &homeserver{people: []id.UserID{anna}}, func(ctx context.Context, m commands.Message) (commands.Finish, error) {
			close(begun)
			select {
			case <-time.After(stopTime - time.Second):
				return echo(ctx, m)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		l.hears("!room:x", anna, "hello")
		<-begun
		l.hears("!room:x", anna, "too late")
		asked := time.Now()
		l.stop()
		if took := time.Since(asked); took > stopTime {
			t.Errorf("stopping took %s", took)
		}
		if open, err := l.db.RoomsWithMessages(t.Context()); err != nil || !slices.Equal(open, []id.RoomID{"!room:x"}) {
			t.Errorf("answers wait in %v, %v: what was under way should be finished", open, err)
		}
		if open, err := l.db.RoomsWithEvents(t.Context()); err != nil || !slices.Equal(open, []id.RoomID{"!room:x"}) {
			t.Errorf("events wait in %v, %v: nothing new should have begun", open, err)
		}
	})
}

func TestStoppingCutsWhatDoesNotEndInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := make(chan struct{})
		l := begin(t, &homeserver{people: []id.UserID{anna}}, func(ctx context.Context, _ commands.Message) (commands.Finish, error) {
			close(begun)
			<-ctx.Done()
			return nil, ctx.Err()
		})
		l.hears("!room:x", anna, "hello")
		<-begun
		asked := time.Now()
		l.stop()
		if took := time.Since(asked); took != stopTime {
			t.Errorf("stopping took %s, want %s", took, stopTime)
		}
		if open, err := l.db.RoomsWithEvents(t.Context()); err != nil || len(open) != 1 {
			t.Errorf("events wait in %v, %v: what was cut is to be handled again", open, err)
		}
	})
}

// Who lost the right to the database may finish nothing.
func TestAbortingFinishesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, cut := make(chan struct{}), make(chan struct{})
		l := begin(t, &homeserver{people: []id.UserID{anna}}, func(ctx context.Context, m commands.Message) (commands.Finish, error) {
			close(begun)
			<-ctx.Done()
			close(cut)
			return echo(ctx, m)
		})
		l.hears("!room:x", anna, "hello")
		<-begun
		asked := time.Now()
		l.bot.Abort()
		l.end()
		<-cut
		if took := time.Since(asked); took > 0 {
			t.Errorf("it went on for %s", took)
		}
	})
}

// With encryption off nothing else would notice it before the next answer.
func TestADeviceThatVanishedBeforeAnAnswerWasDue(t *testing.T) {
	for name, gone := range map[string]string{
		"Synapse": `{"errcode":"M_UNKNOWN_DEVICE"}`,
		"tuwunel": `{"errcode":"M_INVALID_PARAM","error":"Unknown device for user."}`,
	} {
		for _, request := range []string{"/state", "/send/"} {
			t.Run(name+request, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := &homeserver{people: []id.UserID{anna}}
					l := begin(t, server, echo)
					l.until("the bot is there", func() bool { return l.bot.session() != nil })
					server.spoil(func(r *http.Request) (*http.Response, error) {
						switch {
						case r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/devices/"):
							go server.spoil(nil, nil) // it is there again
						case strings.Contains(r.URL.Path, request), strings.HasSuffix(r.URL.Path, "/whoami") && r.URL.Query().Get("device_id") != "":
							return says(http.StatusBadRequest, gone), nil
						}
						return nil, nil
					}, nil)
					began := time.Now()
					l.hears("!room:x", anna, "hello")
					l.answered("!room:x", "hello")
					if took := time.Since(began); took > time.Minute {
						t.Errorf("the bot noticed after %s", took)
					}
				})
			})
		}
	}
}

// tuwunel's word for a removed device can mean something else.
func TestAMessageThatIsRefusedForItsOwnFaultKeepsTheDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begin(t, &homeserver{people: []id.UserID{anna}}, echo)
		l.until("the bot is there", func() bool { return l.bot.session() != nil })
		l.server.spoil(to("/send/", func(*http.Request) (*http.Response, error) {
			return says(http.StatusBadRequest, `{"errcode":"M_INVALID_PARAM"}`), nil
		}), nil)
		l.hears("!room:x", anna, "hello")
		l.seen.expect(l, map[string]int{"dropped": 1, "started over": 0})
	})
}
