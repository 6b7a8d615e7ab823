//go:build e2e

package e2e

import (
	"testing"

	"matrix-registration-bot/config"
	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

// The suite that the test servers pass, on the server that they imitate.
func TestTheRealSynapseKeepsTheContract(t *testing.T) {
	site := sites["sqlite"]
	registration, err := config.LoadRegistration(site.Bot.Registration)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{tokens.KindSynapse, tokens.KindAuto} {
		t.Run(kind, func(t *testing.T) {
			tokenstest.Contract(t, func(t *testing.T) tokens.Server {
				server, err := tokens.New(tokens.Config{
					Kind: kind, Homeserver: site.Synapse.URL, Token: registration.AsToken, UserID: site.Bot.UserID.String(),
				})
				if err != nil {
					t.Fatal(err)
				}
				return server
			})
		})
	}
}
