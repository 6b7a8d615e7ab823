//go:build e2e

package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// grantsAdmin is the step of an installation at which most people fail.
func (h *hospital) grantsAdmin() {
	h.must(h.SetAdmin(h.Context(), h.Bot.UserID, false))
	h.Cleanup(func() {
		if err := h.SetAdmin(context.Background(), h.Bot.UserID, true); err != nil {
			h.Error(err)
		}
	})
	const question = "Make @registration-bot:lab.test a server admin at "
	for _, step := range []struct {
		name, token, config, answer string
		says                        string
		asks, grants                bool
	}{
		{name: "an access token that nobody has", token: "syt_nobody", says: "the homeserver does not know this access token"},
		{name: "that of an ordinary user", token: h.Admin.AccessToken(), answer: "y\n", says: "this access token is not a server admin's"},
		{
			name: "before the bot's first start", token: h.AdminToken(), answer: "y\n",
			config: h.otherConfig("username: registration-bot", "username: not-yet"), says: "the bot's user does not exist yet: start the bot once",
		},
		{name: "no answer to the question", token: h.AdminToken(), asks: true, says: "nothing was changed"},
		{name: "a no", token: h.AdminToken(), answer: "no\n", asks: true, says: "nothing was changed"},
		{name: "a yes", token: h.AdminToken(), answer: "y\n", asks: true, grants: true, says: "@registration-bot:lab.test is a server admin now."},
	} {
		h.Run(step.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "token")
			h.must(os.WriteFile(file, []byte(step.token+"\n"), 0o600))
			if step.config == "" {
				step.config = "config.yaml"
			}
			out, err := h.Bot.CommandThatAsks(t.Context(), step.answer, "-c", step.config, "grant-admin", "--access-token-file", file)
			if strings.Contains(out, step.token) {
				t.Errorf("it prints the access token:\n%s", out)
			}
			if (err == nil) != step.grants || !strings.Contains(out, step.says) || strings.Contains(out, question) != step.asks {
				t.Errorf("it ended with %v after\n%s", err, out)
			}
			admin, err := h.IsAdmin(t.Context(), h.Bot.UserID)
			if err != nil || admin != step.grants {
				t.Errorf("the bot is a server admin: %t, %v", admin, err)
			}
		})
	}
	if complaints, err := h.doctor("config.yaml"); err != nil || complaints != "" {
		h.Errorf("doctor after it: %v\n%s", err, complaints)
	}
}
