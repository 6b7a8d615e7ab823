package tokens_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

func TestNewAccountsAreListedWhoeverAsks(t *testing.T) {
	began := time.Date(2026, 12, 1, 12, 0, 0, 700_000_000, time.UTC)
	synapse := tokenstest.StartSynapse(t)
	synapse.Register(tokens.Account{UserID: tokenstest.BotUser, Made: began.Add(-time.Hour)})
	synapse.Register(tokens.Account{UserID: "@old:example.org", Made: began.Add(-time.Second)})
	synapse.Register(tokens.Account{UserID: "@anna:example.org", Made: began.Add(-time.Millisecond)}) // times are whole seconds
	synapse.RegisterGhost(tokens.Account{UserID: "@irc_clara:example.org", Made: began.Add(time.Second)})
	synapse.RegisterAdmin(tokens.Account{UserID: "@operator:example.org", Made: began.Add(time.Second)})
	synapse.Register(tokens.Account{UserID: "@ben:example.org", Made: began.Add(time.Minute)})

	asAdmin := synapse.Config()
	asAdmin.Token, asAdmin.UserID = tokenstest.AdminToken, ""
	for name, config := range map[string]tokens.Config{"with the as_token": synapse.Config(), "with an admin's token": asAdmin} {
		t.Run(name, func(t *testing.T) {
			accounts, err := connect(t, config).NewAccounts(t.Context(), began)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, account := range accounts {
				names = append(names, account.UserID)
			}
			if want := []string{"@ben:example.org", "@anna:example.org"}; !slices.Equal(names, want) {
				t.Errorf("new accounts: %q, want %q", names, want)
			}
		})
	}
}

// So many are nobody's guess: it is not worth asking for each.
func TestManyNewAccountsAreNotAskedForOneByOne(t *testing.T) {
	synapse := tokenstest.StartSynapse(t)
	began := time.Now()
	for i := range 11 {
		synapse.RegisterGhost(tokens.Account{UserID: fmt.Sprintf("@irc_%d:example.org", i), Made: began.Add(time.Second)})
	}
	accounts, err := connect(t, synapse.Config()).NewAccounts(t.Context(), began)
	if err != nil || len(accounts) != 11 {
		t.Errorf("%d accounts, %v", len(accounts), err)
	}
	if n := len(synapse.Requests()); n != 1 {
		t.Errorf("the server was asked %d times", n)
	}
}
