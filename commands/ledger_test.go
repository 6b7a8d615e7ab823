package commands

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/tokens"
)

// fault makes one request fail: before it has its effect, or after.
type fault struct {
	request string
	after   bool
	err     error
}

// fail makes requests fail, each fault once and in this order.
func (s *server) fail(faults ...fault) {
	s.at = func(request string, after bool) error {
		if len(faults) == 0 || faults[0].request != request || faults[0].after != after {
			return nil
		}
		err := faults[0].err
		faults = faults[1:]
		return err
	}
}

func kind(sentinel error) error { return &tokens.Error{Kind: sentinel, Op: "test"} }

func TestACreateWhoseAnswerGotLostIsNotMadeTwice(t *testing.T) {
	for _, command := range []string{"create", "create token=chess-club"} {
		for _, faults := range [][]fault{
			{{"create", true, kind(tokens.ErrUnknownOutcome)}},
			{{"create", false, kind(tokens.ErrUnknownOutcome)}},
			{{"create", true, errors.New("something that nobody thought of")}},
			{{"create", true, kind(tokens.ErrUnknownOutcome)}, {"get", false, kind(tokens.ErrUnreachable)}},
			{{"create", false, kind(tokens.ErrUnreachable)}, {"create", true, kind(tokens.ErrUnknownOutcome)}},
			{{"create", false, kind(tokens.ErrRateLimited)}},
		} {
			server := newServer()
			town := newTown(t, server)
			server.fail(faults...)
			code := town.says(manager, command).code()
			if all := server.all(); len(all) != 1 || all[0] != code {
				t.Errorf("%s with %v: the server has %q, the friend gets %q", command, faults, all, code)
			}
		}
	}
}

func TestWhatCertainlyFailedIsSaidSo(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		says  string
		tries int // 0: until patience ends
	}{
		"away":        {kind(tokens.ErrUnreachable), "Please try again", 0},
		"busy":        {kind(tokens.ErrRateLimited), "slow down", 0},
		"no admin":    {kind(tokens.ErrNotAdmin), `PUT /_synapse/admin/v2/users/@registration-bot:example.com with the body {"admin": true}`, 1},
		"no API":      {kind(tokens.ErrNoAPI), "api.base_url", 1},
		"credentials": {kind(tokens.ErrBadCredentials), "api.token", 1},
		"refused":     {kind(tokens.ErrRefused), "refused", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer()
				town := newTown(t, server)
				tries := 0
				server.at = func(request string, after bool) error {
					if request != "create" || after {
						return nil
					}
					tries++
					return test.err
				}
				town.says(manager, "create").has(test.says).lacks("token=")
				if test.tries == 0 && tries < 3 || test.tries > 0 && tries != test.tries {
					t.Errorf("it was tried %d times", tries)
				}
				if made := town.store.rows.Made; len(made) != 0 {
					t.Errorf("the makers are %v", made)
				}
				if audit := town.audited(); len(audit) != 1 {
					t.Errorf("the audit is %q", audit)
				}
			})
		})
	}
}

func TestWhatCannotBeFoundOutIsNeverGivenUp(t *testing.T) {
	for name, test := range map[string]struct {
		command string
		first   fault
		left    int
	}{
		"create that happened":    {"create token=chess-club", fault{"create", true, kind(tokens.ErrUnknownOutcome)}, 2},
		"create that didn't":      {"create token=chess-club", fault{"create", false, kind(tokens.ErrUnknownOutcome)}, 2},
		"delete that happened":    {"delete old", fault{"delete", true, kind(tokens.ErrUnknownOutcome)}, 0},
		"delete that didn't":      {"delete old", fault{"delete", false, kind(tokens.ErrUnknownOutcome)}, 0},
		"an error without a kind": {"delete old", fault{"delete", true, errors.New("?")}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newServer()
				server.tokens["old"] = tokens.Token{Text: "old"}
				town := newTown(t, server)
				m := town.message(manager, test.command)

				away := false
				server.at = func(request string, after bool) error {
					if away {
						return kind(tokens.ErrUnreachable)
					}
					if request == test.first.request && after == test.first.after {
						away = true
						return test.first.err
					}
					return nil
				}
				for range 2 {
					if _, err := town.handle(m); !errors.Is(err, ErrUnsettled) {
						t.Fatalf("the error is %v", err)
					}
				}
				server.at = func(string, bool) error { return nil }
				town.send(m).lacks("no such token", "already")
				if all := server.all(); len(all) != test.left {
					t.Errorf("there are %q", all)
				}
			})
		})
	}
}

func TestAServerThatNeverSaysWhatBecameOfItIsLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, command := range []string{"create", "create token=chess-club", "delete old"} {
			server := newServer()
			server.tokens["old"] = tokens.Token{Text: "old"}
			town := newTown(t, server)
			server.at = func(request string, after bool) error {
				if request == "get" || request == "list" || after {
					return nil
				}
				return kind(tokens.ErrUnknownOutcome) // 500 to everything that changes something
			}
			town.says(manager, command).has("The server doesn't answer", "nothing was changed")
			if all := server.all(); len(all) != 1 {
				t.Errorf("%s leaves %q", command, all)
			}
		}
	})
}

func TestAPatientServerKnowsHowLongToWait(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	limited := &tokens.Error{Kind: tokens.ErrRateLimited, RetryAfter: time.Hour}
	server.fail(fault{"create", false, limited})
	town.says(manager, "create").has("slow down")
	if all := server.all(); len(all) != 0 {
		t.Error("it was tried before the hour was over")
	}
}

func TestStoppingLeavesAStepOpen(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	m := town.message(manager, "create")
	ctx, cancel := context.WithCancel(context.Background())
	server.at = func(request string, after bool) error {
		if request == "create" && !after {
			cancel()
			return kind(tokens.ErrUnreachable)
		}
		return nil
	}
	if _, err := town.bot.Handle(ctx, m); !errors.Is(err, ErrUnsettled) {
		t.Fatalf("the error is %v", err)
	}
	server.at = func(string, bool) error { return nil }
	town.send(m).has("I made the token " + server.all()[0])
}

func TestStoppingAnswersNoQuestionWrongly(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	m := town.message(manager, "list")
	ctx, cancel := context.WithCancel(context.Background())
	server.at = func(string, bool) error {
		cancel()
		return kind(tokens.ErrUnreachable)
	}
	if _, err := town.bot.Handle(ctx, m); err == nil {
		t.Error("the server seems to be away because the bot is stopping")
	}
}

func TestSomebodyElseIsFaster(t *testing.T) {
	t.Run("create", func(t *testing.T) {
		server := newServer()
		town := newTown(t, server)
		server.at = func(request string, after bool) error {
			if request == "create" && !after {
				server.tokens["chess-club"] = tokens.Token{Text: "chess-club"}
			}
			return nil
		}
		town.says(manager, "create token=chess-club").has("there is such a token already")
	})
	t.Run("delete", func(t *testing.T) {
		server := newServer()
		server.tokens["old"] = tokens.Token{Text: "old"}
		town := newTown(t, server)
		server.at = func(request string, after bool) error {
			if request == "delete" && !after {
				delete(server.tokens, "old")
			}
			return nil
		}
		town.says(manager, "delete old").is("old was gone already: somebody else deleted it.")
	})
}

func TestADeleteThatArrivesLate(t *testing.T) {
	server := newServer()
	server.tokens["old"] = tokens.Token{Text: "old"}
	town := newTown(t, server)
	tries := 0
	server.at = func(request string, after bool) error {
		if request != "delete" || after {
			return nil
		}
		if tries++; tries == 1 {
			return kind(tokens.ErrUnknownOutcome)
		}
		delete(server.tokens, "old") // the first one, held up on its way
		return nil
	}
	town.says(manager, "delete old").is("old is deleted.")
}

// slowly makes every request take two seconds and every statement one, so that
// what happens side by side gets into each other's way if it can.
func (t *town) slowly(server *server) {
	t.store.at = func() { time.Sleep(time.Second / 2) }
	server.at = func(string, bool) error {
		time.Sleep(time.Second)
		return nil
	}
}

func TestTwoPeopleWantTheSameText(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		town := newTown(t, server)
		town.slowly(server)
		var made, refused atomic.Int32
		for _, who := range []id.UserID{manager, admin} {
			m := town.message(who, "create token=chess-club")
			go func() {
				reply, err := town.handle(m)
				if err == nil && len(reply.Texts) == 2 {
					made.Add(1)
				} else if err == nil {
					refused.Add(1)
				}
			}()
		}
		time.Sleep(time.Hour)
		if made.Load() != 1 || refused.Load() != 1 {
			t.Errorf("%d made it, %d were refused", made.Load(), refused.Load())
		}
		if n := len(town.store.rows.Plans); n != 1 {
			t.Errorf("%d of them had planned it", n)
		}
	})
}

func TestALimitHoldsInManyRoomsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		town := newTown(t, server)
		town.slowly(server)
		for range 10 {
			m := town.message(inviter, "create")
			go town.handle(m)
		}
		time.Sleep(time.Hour)
		if n := len(server.all()); n != 5 {
			t.Errorf("the limit is 5 tokens, there are %d", n)
		}
	})
}

func TestALimitHoldsBesideAnInterruptedCreate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		town := newTown(t, server)
		town.settings.Limits[town.role(inviter)] = Limits{Open: 1}
		interrupted, next := town.message(inviter, "create"), town.message(inviter, "create")
		town.interrupt(server, interrupted, "create", false)

		// The list that the limit counts on is old when it arrives.
		server.at = func(request string, after bool) error {
			if request == "list" && after {
				time.Sleep(time.Minute)
			}
			return nil
		}
		go town.handle(next)
		time.Sleep(time.Second)
		go town.handle(interrupted)
		time.Sleep(time.Hour)
		if n := len(server.all()); n != 1 {
			t.Errorf("the limit is one token, there are %d", n)
		}
	})
}

func TestOnePersonsSlowCommandHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer()
		town := newTown(t, server)
		town.slowly(server)
		town.store.at = func() {} // it has one connection
		answered := make(chan id.UserID, 10)
		for _, who := range []id.UserID{inviter, friend, manager} {
			m := town.message(who, "create")
			go func() {
				if _, err := town.handle(m); err == nil {
					answered <- who
				}
			}()
		}
		time.Sleep(5 * time.Second) // two requests of two seconds
		if n := len(answered); n != 3 {
			t.Errorf("%d of 3 were answered", n)
		}
	})
}

func TestWaitingForATurnEndsWithTheContext(t *testing.T) {
	var turns turns
	end, err := turns.take(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := turns.take(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	end()
	if _, err := turns.take(ctx, "x"); err != nil {
		t.Errorf("a free thing was not given: %v", err)
	}
}

func TestForgettingFollowsTheToken(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	code := town.says(inviter, "create").code()
	town.says(inviter, "delete "+code).is(code + " is deleted.")
	if made := slices.Collect(maps.Keys(town.store.rows.Made)); len(made) != 0 {
		t.Errorf("the database knows makers of %q", made)
	}
	for event, plan := range town.store.rows.Plans {
		for _, step := range plan.Steps {
			if step.Token != "" || step.Spec != nil || step.Result != nil {
				t.Errorf("the plan of %s holds the token", event)
			}
		}
	}
}
