package tokens_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

// aged runs a test with a clock that it can turn, and a MAS whose access tokens
// live for the given time.
func aged(t *testing.T, lifetime time.Duration, test func(t *testing.T, mas *tokenstest.MAS, server *tokens.API)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		mas := tokenstest.NewMAS(t, tokenstest.MASOptions{Lifetime: lifetime})
		config := mas.Config()
		config.HTTP = memoryClient(mas)
		test(t, mas, connect(t, config))
	})
}

func wantSessions(t *testing.T, mas *tokenstest.MAS, all, unfinished int) {
	t.Helper()
	if gotAll, gotUnfinished := mas.Sessions(); gotAll != all || gotUnfinished != unfinished {
		t.Errorf("%s: %d access tokens were made and %d not given back, want %d and %d",
			time.Now().Format(time.TimeOnly), gotAll, gotUnfinished, all, unfinished)
	}
}

func TestAnAccessTokenIsRenewedBeforeItExpires(t *testing.T) {
	for _, lifetime := range []time.Duration{10 * time.Second, time.Minute, 5 * time.Minute, time.Hour} {
		aged(t, lifetime, func(t *testing.T, mas *tokenstest.MAS, server *tokens.API) {
			for range 40 {
				list(t, server)
				time.Sleep(lifetime / 8)
			}
			asked := 0
			for _, request := range mas.Public.Requests() {
				if request.Method == http.MethodGet && strings.Contains(request.URI, "/api/") {
					asked++
				}
			}
			if asked != 40 {
				t.Errorf("%d requests were sent for 40 questions", asked)
			}
			if all, _ := mas.Sessions(); all < 5 || all > 8 {
				t.Errorf("in 5 lifetimes %d access tokens were made", all)
			}
		})
	}
}

func TestAnAccessTokenIsGivenBackThoughNobodyAsksAnyMore(t *testing.T) {
	aged(t, 5*time.Minute, func(t *testing.T, mas *tokenstest.MAS, server *tokens.API) {
		list(t, server)
		wantSessions(t, mas, 1, 1)
		time.Sleep(5 * time.Minute)
		wantSessions(t, mas, 1, 0)
		list(t, server)
		wantSessions(t, mas, 2, 1)
	})
}

func TestClosingGivesTheAccessTokenBack(t *testing.T) {
	aged(t, 5*time.Minute, func(t *testing.T, mas *tokenstest.MAS, server *tokens.API) {
		if err := server.Close(t.Context()); err != nil {
			t.Errorf("nothing to give back: %v", err)
		}
		list(t, server)
		if err := server.Close(t.Context()); err != nil {
			t.Error(err)
		}
		wantSessions(t, mas, 1, 0)
		if err := server.Close(t.Context()); err != nil {
			t.Errorf("a second time: %v", err)
		}
		before := len(mas.Public.Requests())
		list(t, server)
		if n := len(mas.Public.Requests()) - before; n != 3 {
			t.Errorf("beginning anew took %d requests, want discovery, access token and list", n)
		}
		if err := server.Close(t.Context()); err != nil {
			t.Error(err)
		}
		requests := len(mas.Public.Requests())
		time.Sleep(10 * time.Minute)
		if n := len(mas.Public.Requests()); n != requests {
			t.Error("MAS was asked after the end")
		}
	})
}

func TestAnAccessTokenThatMASNoLongerTakesIsRenewedOnce(t *testing.T) {
	aged(t, 5*time.Minute, func(t *testing.T, mas *tokenstest.MAS, server *tokens.API) {
		list(t, server)
		mas.EndSessions()
		if _, err := server.Create(t.Context(), tokens.Spec{Text: "abc"}); err != nil {
			t.Error(err)
		}
		if all, _ := mas.Sessions(); all != 2 {
			t.Errorf("%d access tokens were made, want 2", all)
		}
		if n := len(mas.Tokens()); n != 1 {
			t.Errorf("%d tokens were made", n)
		}
	})
}

func TestManyWhoAskAtOnceShareAnAccessToken(t *testing.T) {
	aged(t, 5*time.Minute, func(t *testing.T, mas *tokenstest.MAS, server *tokens.API) {
		ready := make(chan struct{})
		mas.Homeserver.Next(tokenstest.Until(ready))
		errs := make(chan error)
		for range 10 {
			go func() {
				_, err := server.List(t.Context())
				errs <- err
			}()
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := server.List(ctx)
		wantKind(t, err, context.DeadlineExceeded)
		wantKind(t, err, tokens.ErrUnreachable)
		close(ready)
		for range 10 {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		if all, _ := mas.Sessions(); all != 1 {
			t.Errorf("%d access tokens were made", all)
		}
	})
}

func list(t *testing.T, server tokens.Server) {
	t.Helper()
	if _, err := server.List(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestWhereAccountsAreMadeIsKnownOnceMASIsFound(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	server := connect(t, mas.Config())
	if page := server.Abilities().SignUp; page != "" {
		t.Errorf("before anything was asked it is %q", page)
	}
	list(t, server)
	if page, want := server.Abilities().SignUp, mas.Public.URL+"/register"; page != want {
		t.Errorf("people make accounts at %q, want %q", page, want)
	}
}
