//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"

	"matrix-registration-bot/e2e/lab"
)

// The whole way over: the old bot's account has devices, cross-signing keys, an
// access token and an encrypted chat, its list is damaged, and afterwards the same
// people make tokens with the bot of the same name.
func TestMovingOverFromTheOldBot(t *testing.T) {
	ctx := t.Context()
	synapse, err := laboratory.NewSynapse(ctx, "moving-synapse", "")
	must(t, err)
	must(t, synapse.Start(ctx))
	must(t, synapse.Appoint(ctx))
	s := &scene{T: t, Site: &lab.Site{Synapse: synapse}, name: "moving"}

	s.T.Log("the old bot has a chat with Anna")
	account, err := s.NewPerson(ctx, "registration-bot") // logged in, without encryption: its access token
	s.must(err)
	s.must(s.SetAdmin(ctx, account.UserID, true))
	old := s.device(account, phone)
	anna, ben, carl := s.person("anna"), s.person("ben"), s.person("carl")
	you, err := s.NewPerson(ctx, "you")
	s.must(err)
	client := s.device(anna, phone)
	invited, err := client.InviteToDM(ctx, account.UserID)
	s.must(err)
	olds, err := old.Join(ctx, invited)
	s.must(err)
	_, err = invited.Until(ctx, account.UserID, event.MembershipJoin)
	s.must(err)
	s.knows(client, old)
	room := sealed{invited}
	asked, err := room.Say(ctx, "create")
	s.must(err)
	_, err = olds.See(ctx, asked)
	s.must(err)
	_, err = olds.Say(ctx, "Token: abc")
	s.must(err)
	chatWithAnna := &chat{s, room}
	s.says(chatWithAnna.hear(), "Token: abc")
	identity, err := client.Identity(ctx, account.UserID)
	s.must(err)
	old.Close()

	s.T.Log("import")
	bot, said, err := laboratory.Import(ctx, lab.OldBot{Name: "moving", User: account.UserID, Files: map[string]string{
		"config.yml": fmt.Sprintf("bot:\n  server: %q\n  username: registration-bot\n  password: %q\n  access_token: %q\n  prefix: \"\"\n"+
			"api:\n  base_url: %q\n  token: %q\nlogging:\n  level: INFO\n", s.URL, account.Password, account.AccessToken(), s.URL, account.AccessToken()),
		"config.toml": fmt.Sprintf("[simplematrixbotlib.config]\njoin_on_invite = true\n"+
			"allowlist = [ \"re.compile(\"re.compile('%s')\")\", \"re.compile('@ben\\\\..*:lab\\\\.test')\", %q,]\nblocklist = [ %q,]\n",
			anna.UserID, you.UserID, carl.UserID),
	}}, "--domain", "lab.test", "--admin", you.UserID.String())
	s.must(err)
	s.Bot = bot
	for _, secret := range []string{account.Password, account.AccessToken()} {
		if strings.Contains(said, secret) {
			s.Error("import shows a secret")
		}
	}

	s.T.Log("what it says is to be done")
	s.must(s.Replace("", bot.Registration))
	s.runs(said, `(?m)^curl .*reset_password.*$`)
	s.Synapse.Stop()
	s.must(s.Synapse.Start(ctx))
	s.startBot()

	s.T.Log("nobody gets into the old account any more")
	if err := account.LoggedIn(ctx); !errors.Is(err, mautrix.MUnknownToken) {
		s.Errorf("the old access token is answered with %v", err)
	}
	if _, err := s.LogIn(ctx, account.UserID, account.Password); !errors.Is(err, mautrix.MForbidden) {
		s.Errorf("the old password is answered with %v", err)
	}

	s.T.Log("the same people make tokens, and the chat goes on")
	s.shownAnew(client, identity)
	s.hasOneTimeKeys(client)
	heard := chatWithAnna.heardUntilAnswerTo(chatWithAnna.say("create"))
	token := heard[len(heard)-1].Codes()[0]
	s.hasTokens(token)
	bens := s.chatWith(ben)
	s.hasTokens(token, bens.create())
	s.says(s.chatWith(you).ask("allowed"), anna.UserID.String()+" manager", `/@ben\..*:lab\.test/ manager`, carl.UserID.String()+" none")
	for _, stranger := range []*lab.Person{carl, s.person("dora")} {
		declined, err := stranger.InviteToDM(ctx, account.UserID)
		s.must(err)
		_, err = declined.Until(ctx, account.UserID, event.MembershipLeave)
		s.must(err)
	}
	if said, err := bot.Command(ctx, "doctor"); err != nil {
		s.Errorf("doctor: %v\n%s", err, said)
	}
}

// runs runs a line of a text as a server admin would.
func (s *scene) runs(text, line string) {
	s.Helper()
	command := regexp.MustCompile(line).FindString(text)
	if command == "" {
		s.Fatalf("there is no line %s in:\n%s", line, text)
	}
	command = strings.ReplaceAll(command, "ACCESS_TOKEN", s.OperatorToken())
	out, err := exec.CommandContext(s.Context(), "bash", "-ec", strings.Replace(command, "curl ", "curl --silent --fail-with-body ", 1)).CombinedOutput()
	if err != nil {
		s.Fatalf("%s: %v\n%s", line, err, out)
	}
}

// docs/moving.md, word for word: first only told, then done.
func TestTheGuideToMovingOver(t *testing.T) {
	s := &scene{T: t, name: "guide"}
	old, installed := t.TempDir(), t.TempDir()+"/bot"
	s.must(os.WriteFile(old+"/config.yml", []byte("bot:\n  server: http://localhost:8008\n  username: registration-bot\n  password: a long password\n"), 0o600))
	s.must(os.WriteFile(old+"/config.toml", []byte("[simplematrixbotlib.config]\nallowlist = [\"@anna:example.com\"]\n"), 0o600))
	guide := s.guide("moving.md", "## Step by step", "/matrix/matrix-registration-bot", old, "/etc/matrix-registration-bot", installed, "/var/lib/matrix-registration-bot", installed)
	guide.follow("--dry-run")
	if _, err := os.Stat(installed); !os.IsNotExist(err) {
		t.Errorf("a dry run has written something: %v", err)
	}
	guide.follow("registration-bot.db\n")
	for _, name := range []string{"config.yaml", "registration.yaml", "registration-bot.db"} {
		if _, err := os.Stat(installed + "/" + name); err != nil {
			t.Error(err)
		}
	}
}
