package tokens_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

func TestWhatTheServerSaysBecomesAnErrorOfOurs(t *testing.T) {
	matrix := func(status int, errcode, words string) tokenstest.Fault {
		return tokenstest.JSON(status, `{"errcode":"`+errcode+`","error":"`+words+`"}`)
	}
	for name, test := range map[string]struct {
		fault  tokenstest.Fault
		read   error // of a GET
		effect error // of a DELETE; nil = the same
	}{
		"an access token that is not known":         {matrix(401, "M_UNKNOWN_TOKEN", "Invalid access token passed."), tokens.ErrBadCredentials, nil},
		"a user that is not a server admin":         {matrix(403, "M_FORBIDDEN", "You are not a server admin"), tokens.ErrNotAdmin, nil},
		"a proxy that forbids the path":             {tokenstest.Page(403), tokens.ErrNoAPI, nil},
		"a proxy that doesn't know the path":        {tokenstest.Page(404), tokens.ErrNoAPI, nil},
		"a proxy with another error format":         {tokenstest.JSON(404, `{"message":"no Route matched"}`), tokens.ErrNoAPI, nil},
		"a proxy that sends elsewhere":              {redirect, tokens.ErrNoAPI, nil},
		"accounts that are in the hands of MAS":     {matrix(404, "M_UNRECOGNIZED", "Unrecognized request"), tokens.ErrNoAPI, nil},
		"an old server that says so with 400":       {matrix(400, "M_UNRECOGNIZED", "Unrecognized request"), tokens.ErrNoAPI, nil},
		"a method that isn't there":                 {matrix(405, "M_UNRECOGNIZED", "Unrecognized request"), tokens.ErrNoAPI, nil},
		"a token that isn't there":                  {matrix(404, "M_NOT_FOUND", "No such registration token: x"), tokens.ErrNotFound, nil},
		"a parameter that the server doesn't like":  {matrix(400, "M_INVALID_PARAM", "token must be a string"), tokens.ErrRefused, nil},
		"a server with an error of its own":         {tokenstest.InternalError(), tokens.ErrUnknownOutcome, nil},
		"a proxy that lost the server":              {tokenstest.Page(502), tokens.ErrUnknownOutcome, nil},
		"a proxy whose server is away":              {tokenstest.Page(503), tokens.ErrUnknownOutcome, nil},
		"a proxy that waited too long":              {tokenstest.Page(504), tokens.ErrUnknownOutcome, nil},
		"a connection cut before the request":       {tokenstest.Cut(), tokens.ErrUnknownOutcome, nil},
		"a connection cut after it":                 {tokenstest.CutAfter(), tokens.ErrUnknownOutcome, nil},
		"a connection cut within the answer":        {tokenstest.CutWithin(), tokens.ErrUnknownOutcome, nil},
		"an answer that is no JSON":                 {tokenstest.Answer(200, "application/json", "fine"), tokens.ErrUnknownOutcome, nil},
		"an answer that is empty":                   {tokenstest.Answer(200, "application/json", ""), tokens.ErrUnknownOutcome, nil},
		"an answer of other types":                  {tokenstest.JSON(200, `["fine"]`), tokens.ErrUnknownOutcome, nil},
		"an answer that never ends":                 {endless, tokens.ErrUnknownOutcome, nil},
		"a web page for everything":                 {tokenstest.Page(200), tokens.ErrNoAPI, tokens.ErrUnknownOutcome},
		"a server that wants its peace for an hour": {tokenstest.TooManyRequests(3_600_000), tokens.ErrRateLimited, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // reading is tried again after a while
			synapse := tokenstest.StartSynapse(t)
			synapse.Always(test.fault)
			server := connect(t, synapse.Config())

			_, err := server.Get(t.Context(), "x")
			wantKind(t, err, test.read)
			if test.effect == nil {
				test.effect = test.read
			}
			wantKind(t, server.Delete(t.Context(), "x"), test.effect)
		})
	}
}

// endless answers with more than anybody should read.
func endless(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
	chunk := []byte(strings.Repeat(" ", 1<<20))
	for {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func TestAnErrorKeepsTheServersWordsForTheLog(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	synapse.SetAdmin(false)
	_, err := connect(t, synapse.Config()).List(t.Context())
	const want = `list tokens: the bot is not a server admin (HTTP 403 M_FORBIDDEN: "You are not a server admin")`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}

	synapse.Always(tokenstest.Answer(400, "text/plain", strings.Repeat("ü", 100_000)))
	_, err = connect(t, synapse.Config()).List(t.Context())
	if words := asError(t, err).Server; len(words) < 250 || len(words) > 350 || !strings.HasPrefix(words, "üüü") {
		t.Errorf("long words are not cut well: %d bytes", len(words))
	}
}

func TestListOfAProxyThatAnswersEverything(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	server := connect(t, synapse.Config())

	synapse.Always(tokenstest.JSON(404, `{"errcode":"M_NOT_FOUND","error":"No such thing"}`))
	_, err := server.List(t.Context())
	wantKind(t, err, tokens.ErrNoAPI)

	synapse.Always(tokenstest.JSON(200, `{}`))
	_, err = server.List(t.Context())
	wantKind(t, err, tokens.ErrNoAPI)
	_, err = server.Get(t.Context(), "abc")
	wantKind(t, err, tokens.ErrNoAPI)
	_, err = server.Create(t.Context(), tokens.Spec{Text: "abc"})
	wantKind(t, err, tokens.ErrUnknownOutcome)
}

func TestARequestThatCannotLeaveHasNoEffect(t *testing.T) {
	listener := listen(t)
	_ = listener.Close() // now nobody listens there
	config := tokenstest.NewSynapse().Config()
	for name, base := range map[string]string{
		"connection refused":    "http://" + listener.Addr().String(),
		"a name that is nobody": "http://nobody.invalid",
	} {
		t.Run(name, func(t *testing.T) {
			config.BaseURL = base
			server := connect(t, config)
			_, err := server.Create(t.Context(), tokens.Spec{Text: "abc"})
			wantKind(t, err, tokens.ErrUnreachable)
			wantKind(t, server.Delete(t.Context(), "abc"), tokens.ErrUnreachable)
			_, err = server.Get(t.Context(), "abc")
			wantKind(t, err, tokens.ErrUnreachable)
			if strings.Contains(err.Error(), "_synapse") {
				t.Errorf("the address is in the error: %v", err)
			}
		})
	}
}

func TestARequestAfterTheServerWentAwayHasNoEffect(t *testing.T) {
	synapse := tokenstest.NewSynapse()
	listening := httptest.NewServer(synapse)
	config := synapse.Config()
	config.BaseURL = listening.URL
	server := connect(t, config)
	if _, err := server.List(t.Context()); err != nil { // leaves a connection to be used again
		t.Fatal(err)
	}
	listening.CloseClientConnections()
	listening.Close()
	for range 3 { // the first may still meet the dying connection
		_, err := server.Create(t.Context(), tokens.Spec{Text: "abc"})
		if errors.Is(err, tokens.ErrUnreachable) {
			return
		}
		wantKind(t, err, tokens.ErrUnknownOutcome)
	}
	t.Error("a server that is away is never called unreachable")
}

func TestARequestThatLeftAndGotNoAnswerHasAnUnknownOutcome(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	synapse.Next(tokenstest.CutAfter())
	server := connect(t, synapse.Config())
	_, err := server.Create(t.Context(), tokens.Spec{Text: "cut"})
	wantKind(t, err, tokens.ErrUnknownOutcome)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	synapse.Next(tokenstest.HangAfter())
	_, err = server.Create(ctx, tokens.Spec{Text: "hung"})
	wantKind(t, err, tokens.ErrUnknownOutcome)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v doesn't say that the time was over", err)
	}
	if list := synapse.Tokens(); len(list) != 2 {
		t.Errorf("the server has %d tokens; both requests had arrived", len(list))
	}
}

func TestOnlyWhatDoesNoHarmIsTriedAgain(t *testing.T) {
	for name, fault := range map[string]tokenstest.Fault{
		"cut connection": tokenstest.Cut(), "bad gateway": tokenstest.Page(502), "internal error": tokenstest.InternalError(),
	} {
		t.Run(name, func(t *testing.T) {
			synapse := tokenstest.StartSynapse(t)
			synapse.Put(tokens.Token{Text: "abc"})
			server := connect(t, synapse.Config())

			synapse.Next(fault, fault)
			if _, err := server.Get(t.Context(), "abc"); err != nil {
				t.Errorf("reading is not tried three times: %v", err)
			}

			before := len(synapse.Requests())
			synapse.Next(fault)
			_, err := server.Create(t.Context(), tokens.Spec{Text: "def"})
			wantKind(t, err, tokens.ErrUnknownOutcome)
			synapse.Next(fault)
			wantKind(t, server.Delete(t.Context(), "abc"), tokens.ErrUnknownOutcome)
			if sent := len(synapse.Requests()) - before; sent != 2 {
				t.Errorf("%d requests were sent for one creation and one deletion", sent)
			}
		})
	}
}

func TestWhatTheServerRefusedIsNotTriedAgain(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	_, err := connect(t, synapse.Config()).Get(t.Context(), "abc")
	wantKind(t, err, tokens.ErrNotFound)
	if n := len(synapse.Requests()); n != 1 {
		t.Errorf("%d requests were sent", n)
	}
}

func TestSlowingDownWhenTheServerAsks(t *testing.T) {
	inHeader := func(value string) tokenstest.Fault {
		return func(w http.ResponseWriter, r *http.Request, server http.Handler) {
			w.Header().Set("Retry-After", value)
			tokenstest.TooManyRequests(0)(w, r, server)
		}
	}
	for name, test := range map[string]struct {
		faults        []tokenstest.Fault
		atLeast, most time.Duration
		want          error
	}{
		"for as long as the body says": {
			[]tokenstest.Fault{tokenstest.TooManyRequests(2500)}, 2500 * time.Millisecond, 2500 * time.Millisecond, nil,
		},
		"for as long as the header says": {
			[]tokenstest.Fault{inHeader("3")}, 3 * time.Second, 3 * time.Second, nil,
		},
		"until the time in the header": {
			[]tokenstest.Fault{inHeader("Sat, 01 Jan 2000 00:00:05 GMT")}, 5 * time.Second, 5 * time.Second, nil,
		},
		"a while when neither says": {
			[]tokenstest.Fault{inHeader("soon")}, 500 * time.Millisecond, 1500 * time.Millisecond, nil,
		},
		"twice": {
			[]tokenstest.Fault{tokenstest.TooManyRequests(1000), tokenstest.TooManyRequests(2000)}, 3 * time.Second, 3 * time.Second, nil,
		},
		"but not for ever": {
			[]tokenstest.Fault{tokenstest.TooManyRequests(1), tokenstest.TooManyRequests(1), tokenstest.TooManyRequests(1)},
			2 * time.Millisecond, 2 * time.Millisecond, tokens.ErrRateLimited,
		},
		"and not longer than a call may take": {
			[]tokenstest.Fault{tokenstest.TooManyRequests(60_000)}, 0, 0, tokens.ErrRateLimited,
		},
		"not even when the wish is absurd": {
			[]tokenstest.Fault{inHeader("9223372036854775807")}, 0, 0, tokens.ErrRateLimited,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // its clock starts with the year 2000
				synapse := tokenstest.NewSynapse()
				synapse.Next(test.faults...)
				start := time.Now()
				_, err := connect(t, inMemory(synapse)).Create(t.Context(), tokens.Spec{Text: "abc"})
				wantKind(t, err, test.want)
				if waited := time.Since(start); waited < test.atLeast || waited > test.most {
					t.Errorf("waited %s, want %s to %s", waited, test.atLeast, test.most)
				}
			})
		})
	}
}

func TestAnErrorSaysHowLongTheServerWantsItsPeace(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	synapse.Always(tokenstest.TooManyRequests(90_000))
	_, err := connect(t, synapse.Config()).List(t.Context())
	if wait := asError(t, err).RetryAfter; wait != 90*time.Second {
		t.Errorf("got %s, want 90 s", wait)
	}
}

func TestASlowServerIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		synapse := tokenstest.NewSynapse()
		ready := make(chan struct{})
		synapse.Next(tokenstest.Until(ready))
		time.AfterFunc(14*time.Second, func() { close(ready) })
		if _, err := connect(t, inMemory(synapse)).Create(t.Context(), tokens.Spec{Text: "abc"}); err != nil {
			t.Error(err)
		}
	})
}

func TestACallHasAnEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		synapse := tokenstest.NewSynapse()
		synapse.Always(tokenstest.Hang())
		start := time.Now()
		if _, err := connect(t, inMemory(synapse)).List(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want a time-out", err)
		}
		if took := time.Since(start); took != 15*time.Second {
			t.Errorf("it took %s, tries and all, want 15 s", took)
		}
	})
}

func TestTokensArriveOnTheWireBelowTheirPath(t *testing.T) {
	const root = "/proxied/_synapse/admin/v1/registration_tokens/"
	for text, want := range map[string]string{
		".":       root + "%2E",
		"..":      root + "%2E%2E",
		"new":     root + "%6E%65%77",
		"a/b?c#d": root + "%61%2F%62%3F%63%23%64",
		"%2e":     root + "%25%32%65",
		"ü":       root + "%C3%BC",
	} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			t.Run(method+" "+text, func(t *testing.T) {
				listener := listen(t)
				line := make(chan string, 1)
				go func() {
					line <- firstLine(listener)
				}()
				server := connect(t, tokens.Config{
					Kind: tokens.KindSynapse, BaseURL: "http://" + listener.Addr().String() + "/proxied/", Token: tokenstest.AdminToken,
				})
				if method == http.MethodGet {
					_, _ = server.Get(t.Context(), text) // gets no sensible answer
				} else {
					_ = server.Delete(t.Context(), text)
				}
				if got := <-line; got != method+" "+want+" HTTP/1.1" {
					t.Errorf("got %q, want %q", got, want)
				}
			})
		}
	}
}

// firstLine takes one connection and returns the first line of what arrives.
func firstLine(listener net.Listener) string {
	connection, err := listener.Accept()
	if err != nil {
		return err.Error()
	}
	defer connection.Close()
	request := bufio.NewReader(connection)
	line, err := request.ReadString('\n')
	if err != nil {
		return err.Error()
	}
	_, _ = io.WriteString(connection, "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	return strings.TrimSpace(line)
}

func TestRequestsSayWhoAsks(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	config := synapse.Config()
	config.UserAgent = "matrix-registration-bot/1.2.3"
	if _, err := connect(t, config).List(t.Context()); err != nil {
		t.Fatal(err)
	}
	config.Token, config.UserID = tokenstest.AdminToken, ""
	if _, err := connect(t, config).List(t.Context()); err != nil {
		t.Fatal(err)
	}
	requests := synapse.Requests()
	if got, want := requests[0].URI, "/_synapse/admin/v1/registration_tokens?user_id="+url.QueryEscape(tokenstest.BotUser); got != want {
		t.Errorf("with the as_token: %s, want %s", got, want)
	}
	if got, want := requests[1].URI, "/_synapse/admin/v1/registration_tokens"; got != want {
		t.Errorf("with an admin's token: %s, want %s", got, want)
	}
	if got := requests[0].Header.Get("User-Agent"); got != config.UserAgent {
		t.Errorf("the user agent is %q", got)
	}
}

func TestCreatingAsksForExactlyWhatIsWanted(t *testing.T) {
	expires := time.Date(2036, 12, 24, 18, 0, 0, int(5*time.Millisecond), time.UTC)
	for want, spec := range map[string]tokens.Spec{
		`{"token":"abc"}`:                                              {Text: "abc"},
		`{"token":"abc","uses_allowed":1}`:                             {Text: "abc", Uses: new(1)},
		`{"token":"abc","uses_allowed":5,"expiry_time":2113754400005}`: {Text: "abc", Uses: new(5), Expires: &expires},
	} {
		synapse := tokenstest.StartSynapse(t)
		if _, err := connect(t, synapse.Config()).Create(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		if got := synapse.Requests()[0].Body; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestForeignTokensAreShownAsWhatTheyDo(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	farOff := time.Date(300_000, 1, 1, 0, 0, 0, 0, time.UTC)
	synapse.Put(tokens.Token{Text: "zero", Uses: new(0)})
	synapse.Put(tokens.Token{Text: "far-off", Expires: &farOff})
	server := connect(t, synapse.Config())

	if token, err := server.Get(t.Context(), "zero"); err != nil || token.Uses != nil {
		t.Errorf("0 uses, with which everybody can register, are not shown as unlimited: %+v, %v", token, err)
	}
	token, err := server.Get(t.Context(), "far-off")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := token.Expires.MarshalJSON(); err != nil {
		t.Errorf("its end can't be stored: %v", err)
	}
}

func TestAListWithoutEndIsNotRead(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	synapse.Always(endless)
	_, err := connect(t, synapse.Config()).List(t.Context())
	if err == nil || !strings.Contains(err.Error(), "longer than 16777216 bytes") {
		t.Errorf("got %v", err)
	}
}

func TestALongListIsRead(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	for range 20_000 {
		synapse.Put(tokens.Token{Text: tokens.Draw(64), Uses: new(1)})
	}
	list, err := connect(t, synapse.Config()).List(t.Context())
	if err != nil || len(list) != 20_000 {
		t.Errorf("got %d tokens, %v", len(list), err)
	}
}

func TestNoErrorHoldsATokenOrAnAccessToken(t *testing.T) {
	const text = "sEcReT.t0ken~_-"
	echo := func(status int) tokenstest.Fault {
		return func(w http.ResponseWriter, r *http.Request, server http.Handler) {
			tokenstest.Answer(status, "text/plain", strings.Repeat("no ", 95)+r.RequestURI+r.Header.Get("Authorization")+
				strings.Repeat(text+url.PathEscape(text), 50))(w, r, server)
		}
	}
	malformed := func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer connection.Close()
		// In one word, as net/http repeats no more than the first two.
		_, _ = io.WriteString(connection, text+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+"\r\n\r\n")
	}
	faults := map[string]tokenstest.Fault{
		"none":                        nil,
		"a refusal that repeats it":   echo(400),
		"a failure that repeats it":   echo(500),
		"an answer that repeats it":   echo(200),
		"a cut connection":            tokenstest.Cut(),
		"an answer that breaks HTTP":  malformed,
		"a redirect":                  redirect,
		"a web page":                  tokenstest.Page(200),
		"a JSON answer of wrong type": tokenstest.JSON(200, `[12,"`+text+`"]`),
		"an error code that holds it": tokenstest.JSON(400, `{"errcode":"`+text+`"}`),
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // reading is tried again after a while
			synapse := tokenstest.StartSynapse(t)
			config := synapse.Config()
			server := connect(t, config)
			if fault == nil { // it exists, and then it doesn't
				synapse.Put(tokens.Token{Text: text})
			}
			synapse.Always(fault)
			_, err := server.Create(t.Context(), tokens.Spec{Text: text})
			wantSilence(t, err, text)
			if fault == nil {
				synapse.SetAdmin(false)
			}
			wantSilence(t, server.Delete(t.Context(), text), text)
			_, err = server.Get(t.Context(), text)
			wantSilence(t, err, text)

			config.BaseURL = "http://127.0.0.1:1"
			wantSilence(t, connect(t, config).Delete(t.Context(), text), text)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			wantSilence(t, server.Delete(ctx, text), text)
		})
	}
	for _, bad := range []string{"too long " + strings.Repeat("x", 70), "ü"} {
		_, err := connect(t, tokenstest.StartSynapse(t).Config()).Create(t.Context(), tokens.Spec{Text: bad})
		wantSilence(t, err, bad)
	}
}

func redirect(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	http.Redirect(w, r, "https://elsewhere.invalid"+r.RequestURI, http.StatusMovedPermanently)
}

func wantSilence(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil {
		t.Fatal("it was to fail")
	}
	failure := asError(t, err)
	all := err.Error() + failure.Server + failure.Errcode
	for _, secret := range []string{text, tokenstest.ASToken} {
		if strings.Contains(all, secret) || strings.Contains(all, escaped(secret)) {
			t.Errorf("%q is in the error: %s", secret, all)
		}
	}
}

// escaped is how the token stands in the address.
func escaped(text string) string {
	const hex = "0123456789ABCDEF"
	var s strings.Builder
	for i := range len(text) {
		s.WriteString("%" + string(hex[text[i]>>4]) + string(hex[text[i]&15]))
	}
	return s.String()
}

func TestAConfigThatCannotWorkIsRefused(t *testing.T) {
	good := tokens.Config{Kind: tokens.KindAuto, BaseURL: "https://matrix.example.com/proxied", Token: "t"}
	if _, err := tokens.New(good); err != nil {
		t.Errorf("a good one: %v", err)
	}
	for name, spoil := range map[string]func(*tokens.Config){
		"unknown kind":      func(c *tokens.Config) { c.Kind = "conduit" },
		"no kind":           func(c *tokens.Config) { c.Kind = "" },
		"no address":        func(c *tokens.Config) { c.BaseURL = "" },
		"no scheme":         func(c *tokens.Config) { c.BaseURL = "matrix.example.com" },
		"another scheme":    func(c *tokens.Config) { c.BaseURL = "ftp://matrix.example.com" },
		"an address and ?":  func(c *tokens.Config) { c.BaseURL += "?" },
		"a query":           func(c *tokens.Config) { c.BaseURL += "?a=b" },
		"a fragment":        func(c *tokens.Config) { c.BaseURL += "#a" },
		"a password in it":  func(c *tokens.Config) { c.BaseURL = "https://a:b@matrix.example.com" },
		"no access token":   func(c *tokens.Config) { c.Token = "" },
		"no address at all": func(c *tokens.Config) { c.BaseURL = "http://" },
		"a broken address":  func(c *tokens.Config) { c.BaseURL = "http://[::1" },
	} {
		t.Run(name, func(t *testing.T) {
			config := good
			spoil(&config)
			if _, err := tokens.New(config); err == nil {
				t.Error("it was taken")
			}
		})
	}
}

func connect(t *testing.T, config tokens.Config) *tokens.API {
	t.Helper()
	server, err := tokens.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func wantKind(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func asError(t *testing.T, err error) *tokens.Error {
	t.Helper()
	var failure *tokens.Error
	if !errors.As(err, &failure) {
		t.Fatalf("%v is not a *tokens.Error", err)
	}
	return failure
}

// inMemory reaches a server without a network, so that synctest can turn the
// clock.
func inMemory(handler http.Handler) tokens.Config {
	config := tokenstest.NewSynapse().Config()
	config.BaseURL = "http://synapse.test"
	config.HTTP = memoryClient(handler)
	return config
}

func memoryClient(handler http.Handler) *http.Client {
	return &http.Client{Transport: roundTripper(func(r *http.Request) (response *http.Response, err error) {
		defer func() {
			if recover() == http.ErrAbortHandler {
				err = context.Cause(r.Context())
			}
		}()
		if r.Body == nil {
			r.Body = http.NoBody
		}
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		return answer.Result(), nil
	})}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
