package commands

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

// on is a town whose server is of another kind.
func on(t *testing.T, config tokens.Config) *town {
	t.Helper()
	server, err := tokens.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return newTown(t, server)
}

func TestDeletingWhereTokensStay(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	town := on(t, mas.Config())
	town.says(manager, "create token=abc")
	town.says(manager, "delete abc").is("abc is deleted: nobody can use it any more. This server keeps it, and restore abc brings it back.")
	town.says(manager, "delete abc").is("abc was deleted before. A manager can bring it back with restore.")
	if n := asked(mas, "POST", "/revoke"); n != 1 {
		t.Errorf("MAS was asked to revoke it %d times", n)
	}
	town.says(manager, "create token=abc").has("there is such a token already")
	town.says(manager, "show abc").has("abc was deleted:", "made by you")
	town.says(manager, "list").has("There is no token that can be used.")
	town.says(manager, "list revoked").has("1 deleted token:", "abc")
	town.says(manager, "list all").has("1 token:", "abc", "deleted")
	town.says(manager, "help delete").has("deleted tokens stay in the list")
	town.says(manager, "help list").has("list revoked")
	if n := asked(mas, "GET", "filter%5Bvalid%5D=true"); n != 1 {
		t.Errorf("valid tokens alone were asked for %d times", n)
	}
}

// asked counts the requests to a MAS whose addresses hold a text.
func asked(mas *tokenstest.MAS, method, text string) (n int) {
	for _, request := range mas.Public.Requests() {
		if request.Method == method && strings.Contains(request.URI, text) {
			n++
		}
	}
	return n
}

func TestRestoring(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	town := on(t, mas.Config())
	town.says(inviter, "create token=abc")
	town.says(inviter, "delete abc").has("abc is deleted")
	town.says(inviter, "restore abc").has("restore takes the role manager")
	town.says(manager, "restore abc").has("abc can be used again: 1 use left, expires")
	town.says(manager, "restore abc").is("abc is not deleted, so there is nothing to bring back. show says all about it.")
	town.says(manager, "restore").has("Which token?")
	town.says(manager, "restore nothing").has("nothing: I know no such token.")
	town.says(inviter, "show abc").has("abc can be used:", "made by you")

	mas.Put(tokens.Token{Text: "old", Revoked: true, Expires: new(time.Now().Add(-time.Hour))})
	town.says(manager, "restore old").has("old is no longer deleted, but nobody can use it")
	town.says(manager, "help").has("restore <token>")
	town.says(inviter, "help").lacks("restore")
}

func TestRestoringWhereDeletedTokensAreGone(t *testing.T) {
	town, _ := onSynapse(t)
	town.says(manager, "create token=abc")
	town.says(manager, "help").lacks("restore")
	town.says(manager, "help restore").has("This kind of server can't do that.")
	town.says(manager, "restore abc").is("This kind of server can't do that.")
	town.says(manager, "list revoked").has("I don't understand revoked here")
	town.says(manager, "help delete").lacks("stay in the list")
}

func TestDeletingAllWhereTokensStay(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	for _, text := range []string{"a", "b", "c"} {
		mas.Put(tokens.Token{Text: text, Revoked: text == "a"})
	}
	town := on(t, mas.Config())
	town.says(admin, "delete-all").has("Shall I delete all 2 tokens")
	mas.Put(tokens.Token{Text: "b", Revoked: true})
	town.says(admin, "confirm").has("1 token is deleted.", "1 was gone already.")
	if n := asked(mas, "POST", "/revoke"); n != 1 {
		t.Errorf("MAS was asked to revoke %d tokens", n)
	}
	town.says(admin, "delete-all").is("There are no tokens to delete.")
}

func TestARestoringThatWasInterrupted(t *testing.T) {
	for name, fault := range map[string]tokenstest.Fault{
		"before it had its effect": tokenstest.Cut(),
		"after it":                 tokenstest.CutAfter(),
	} {
		for _, command := range []string{"delete", "restore"} {
			t.Run(command+" "+name, func(t *testing.T) {
				mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
				mas.Put(tokens.Token{Text: "abc", Revoked: command == "restore"})
				town := on(t, mas.Config())
				town.says(manager, "show abc")
				// The command looks, the step looks, and then it is done.
				mas.Public.Next(look, look, fault)
				answer := town.says(manager, command+" abc")
				if command == "restore" {
					answer.has("abc can be used again")
				} else {
					answer.has("abc is deleted")
				}
				if revoked := mas.Tokens()[0].Revoked; revoked != (command == "delete") {
					t.Errorf("it is revoked: %t", revoked)
				}
			})
		}
	}
}

// look is a request that goes well.
func look(w http.ResponseWriter, r *http.Request, server http.Handler) { server.ServeHTTP(w, r) }

func TestWhatIsSeenWhenPatienceEndsCounts(t *testing.T) {
	for _, command := range []string{"delete", "restore"} {
		mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
		mas.Put(tokens.Token{Text: "abc", Revoked: command == "restore"})
		town := on(t, mas.Config())
		town.bot.patience = patience{limit: time.Millisecond, pause: time.Minute}
		town.says(manager, "show abc")
		mas.Public.Next(look, look, tokenstest.CutAfter())
		town.says(manager, command+" abc").lacks("nothing was changed")
	}
}

func TestARequestToRestoreThatArrivesLate(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	mas.Put(tokens.Token{Text: "abc", Revoked: true})
	town := on(t, mas.Config())
	town.says(manager, "show abc")
	thenItArrives := func(w http.ResponseWriter, r *http.Request, server http.Handler) {
		server.ServeHTTP(w, r)
		mas.Put(tokens.Token{Text: "abc"})
	}
	// The command looks, the step looks and is cut, looks again twice, and then
	// there is nothing left to do.
	mas.Public.Next(look, look, tokenstest.Cut(), look, thenItArrives)
	town.says(manager, "restore abc").has("abc can be used again")
}

func TestAServerThatDoesNotAskForTokensIsToldOnce(t *testing.T) {
	town := on(t, tokenstest.StartDendrite(t).Config())
	const warning = "lets people register without a token"
	town.says(manager, "create").lacks(warning)
	town.says(admin, "create").has(warning)
	town.says(admin, "create").lacks(warning)
	town.restart()
	town.says(admin, "create").lacks(warning)
	town.says(inviter, "help create").has(warning)

	synapse, _ := onSynapse(t)
	synapse.says(admin, "create").lacks(warning)
}

func TestAServerThatMovesToMASIsFollowedOrExplained(t *testing.T) {
	for name, test := range map[string]struct {
		kind        string
		credentials bool
		says        string
	}{
		"nothing said, no credentials": {tokens.KindAuto, false, "handled by the Matrix Authentication Service now"},
		"said otherwise":               {tokens.KindSynapse, true, "has to set it to mas"},
		"credentials for both":         {tokens.KindAuto, true, "I made the token"},
	} {
		t.Run(name, func(t *testing.T) {
			mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
			mas.Homeserver.Delegate(nil)
			config := tokens.Config{Kind: test.kind, Homeserver: mas.Homeserver.URL, Token: tokenstest.ASToken, UserID: tokenstest.BotUser}
			if test.credentials {
				config.ClientID, config.ClientSecret = tokenstest.MASClientID, tokenstest.MASClientSecret
			}
			town := on(t, config)
			town.says(inviter, "create").has("I made the token")
			mas.Homeserver.Delegate(mas.Metadata())
			town.says(inviter, "create").has(test.says)
		})
	}
}

func TestServerProblemsAreToldWithTheirCure(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	dendrite := tokenstest.StartDendrite(t)
	synapse := tokenstest.StartSynapse(t)
	asBot := func(kind, url string) tokens.Config {
		return tokens.Config{Kind: kind, Homeserver: url, Token: tokenstest.ASToken, UserID: tokenstest.BotUser}
	}
	with := func(config tokens.Config, change func(*tokens.Config)) tokens.Config {
		change(&config)
		return config
	}
	for name, test := range map[string]struct {
		config tokens.Config
		want   string
	}{
		"accounts went to MAS, no credentials": {asBot(tokens.KindAuto, mas.Homeserver.URL), "handled by the Matrix Authentication Service now"},
		"accounts went to MAS, said otherwise": {asBot(tokens.KindSynapse, mas.Homeserver.URL), "has to set it to mas"},
		"Dendrite, no token":                   {asBot(tokens.KindAuto, dendrite.URL), "set api.token in my config to that of a server admin"},
		"Dendrite, said otherwise":             {asBot(tokens.KindSynapse, dendrite.URL), "has to set it to dendrite"},
		"Synapse, said otherwise": {
			with(mas.Config(), func(c *tokens.Config) { c.Homeserver = synapse.URL }), "has to set it to synapse",
		},
		"a wrong secret": {with(mas.Config(), func(c *tokens.Config) { c.ClientSecret = "x" }), "doesn't accept my credentials"},
		"a wrong issuer": {with(mas.Config(), func(c *tokens.Config) { c.Issuer = synapse.URL }), "set api.issuer"},
		"adminapi elsewhere": {
			with(mas.Config(), func(c *tokens.Config) { c.BaseURL = mas.Internal.URL }), "add adminapi to a listener",
		},
	} {
		t.Run(name, func(t *testing.T) {
			town := on(t, test.config)
			town.says(inviter, "create").has(test.want)
			town.says(inviter, "list").has(test.want)
		})
	}

	t.Run("an access token of no admin", func(t *testing.T) {
		dendrite := tokenstest.StartDendrite(t)
		dendrite.Next(tokenstest.JSON(http.StatusForbidden, `{"errcode":"M_FORBIDDEN","error":"This API can only be used by admin users."}`))
		on(t, dendrite.Config()).says(inviter, "list").has("isn't a server admin's", "set api.token")
	})
	t.Run("not in admin_clients", func(t *testing.T) {
		mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
		mas.SetAdminClient(false)
		on(t, mas.Config()).says(inviter, "create").has("policy.data.admin_clients")
	})
	t.Run("Dendrite that asks for no tokens", func(t *testing.T) {
		dendrite := tokenstest.StartDendrite(t)
		dendrite.RequireTokens(false)
		on(t, dendrite.Config()).says(manager, "create").has("registration_requires_token")
	})
	t.Run("a token of tuwunel's config file", func(t *testing.T) {
		on(t, tokenstest.StartTuwunel(t, "fixed").Config()).says(manager, "delete fixed").has("stands in the config file")
	})
}
