package tokens_test

import (
	"testing"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

func TestEveryServerKeepsTheContract(t *testing.T) {
	for name, config := range map[string]func(t *testing.T) tokens.Config{
		"synapse":  func(t *testing.T) tokens.Config { return tokenstest.StartSynapse(t).Config() },
		"tuwunel":  func(t *testing.T) tokens.Config { return tokenstest.StartTuwunel(t, "from-the-config-file").Config() },
		"dendrite": func(t *testing.T) tokens.Config { return tokenstest.StartDendrite(t).Config() },
		"mas": func(t *testing.T) tokens.Config {
			return tokenstest.StartMAS(t, tokenstest.MASOptions{}).Config()
		},
		"mas below a path, with its secret in the form": func(t *testing.T) tokens.Config {
			return tokenstest.StartMAS(t, tokenstest.MASOptions{Prefix: "/auth", AuthMethod: "client_secret_post"}).Config()
		},
		"mas with a personal access token": func(t *testing.T) tokens.Config {
			config := tokenstest.StartMAS(t, tokenstest.MASOptions{}).Config()
			config.Token, config.ClientID, config.ClientSecret = tokenstest.MASPersonalToken, "", ""
			return config
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tokenstest.Contract(t, func(t *testing.T) tokens.Server { return connect(t, config(t)) })
		})
		t.Run(name+", found out", func(t *testing.T) {
			t.Parallel()
			tokenstest.Contract(t, func(t *testing.T) tokens.Server {
				config := config(t)
				config.Kind = tokens.KindAuto
				return connect(t, config)
			})
		})
	}
}
