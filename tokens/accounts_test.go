package tokens_test

import (
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
