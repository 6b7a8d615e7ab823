//go:build e2e

package e2e

import (
	"testing"

	"matrix-registration-bot/config"
	"matrix-registration-bot/e2e/lab"
	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

// The suite that the test servers pass, on the server that they imitate.
func TestTheRealSynapseKeepsTheContract(t *testing.T) {
	for _, kind := range []string{tokens.KindSynapse, tokens.KindAuto} {
		t.Run(kind, func(t *testing.T) {
			tokenstest.Contract(t, func(t *testing.T) tokens.Server { return tokenAPI(t, sites["sqlite"], kind) })
		})
	}
}

// tokenAPI is a site's token API as the bot uses it.
func tokenAPI(t *testing.T, site *lab.Site, kind string) *tokens.API {
	t.Helper()
	registration, err := config.LoadRegistration(site.Bot.Registration)
	must(t, err)
	api, err := tokens.New(tokens.Config{
		Kind: kind, Homeserver: site.Synapse.URL, Token: registration.AsToken, UserID: site.Bot.UserID.String(),
	})
	must(t, err)
	return api
}
