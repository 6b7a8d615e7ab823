package commands

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/tokens"
)

func TestEachRoleMayDoWhatItsCommandsSay(t *testing.T) {
	for _, test := range []struct {
		command string
		least   access.Role
	}{
		{"help", access.None},
		{"whoami", access.None},
		{"create", access.Inviter},
		{"list", access.Inviter},
		{"show x", access.Inviter},
		{"update x note=y", access.Inviter},
		{"rotate x", access.Inviter},
		{"delete x", access.Inviter},
		{"delete-all", access.Admin},
		{"allow @x:example.org", access.Admin},
		{"disallow @x:example.org", access.Admin},
		{"allowed", access.Admin},
		{"delete expired", access.Inviter},
		{"audit", access.Admin},
		{"language", access.None},
		{"notify", access.Inviter},
	} {
		for role, who := range []id.UserID{nobody, inviter, manager, admin} {
			server := newServer()
			town := newTown(t, server)
			a := town.says(who, test.command)
			if access.Role(role) >= test.least {
				a.lacks("takes the role")
				continue
			}
			name, _, _ := strings.Cut(test.command, " ")
			a.has(fmt.Sprintf("%s takes the role %s, and yours is %s. You can ask @admin:example.com for it.",
				name, test.least, access.Role(role)))
			if want := []string{fmt.Sprintf("%s %s refused", who, name)}; !slices.Equal(town.audited(), want) {
				t.Errorf("the audit is %q instead of %q", town.audited(), want)
			}
			if len(server.all()) > 0 || len(town.store.rows.Entries) > 0 {
				t.Errorf("%s had an effect for %s", test.command, who)
			}
		}
	}
}

func TestARoleCountsFromTheNextCommandOn(t *testing.T) {
	town := newTown(t, newServer())
	town.says(nobody, "list").has("takes the role")
	town.says(admin, "allow @nobody:elsewhere.org inviter")
	town.says(nobody, "list").lacks("takes the role")
	town.says(admin, "disallow @nobody:elsewhere.org")
	town.says(nobody, "list").has("takes the role")
	delete(town.settings.Permissions, string(manager)) // a reload of the config
	town.says(manager, "list").has("Only tokens that you made")
}

func TestWithoutAdminsInTheConfigTheServersAdminIsNamed(t *testing.T) {
	town := newTown(t, newServer())
	town.settings.Permissions = nil
	town.says(nobody, "create").has("ask the admin of this server")
	town.says(nobody, "help").has("ask the admin of this server")
}

func TestEveryMessageInADirectChatIsAnswered(t *testing.T) {
	town := newTown(t, newServer())
	for text, says := range map[string]string{
		"":                                "help lists what I can do",
		" \n\t ":                          "help lists what I can do",
		"``":                              "help lists what I can do",
		"!reg":                            "help lists what I can do",
		"HELP":                            "What you can write",
		"?":                               "What you can write",
		"craete":                          "I don't know craete. Did you mean create?",
		"good morning":                    "I don't know good. help lists",
		strings.Repeat("x", 60<<10):       "too long for a command",
		strings.Repeat("x ", 4000):        "I don't know x",
		strings.Repeat("x", 8000):         "I don't know " + strings.Repeat("x", 79) + "…",
		"show" + strings.Repeat(" x", 51): "I take 50",
		"\xff\xfe":                        "I don't know �",
	} {
		town.says(manager, text).has(says)
	}
}

func TestInAGroupOnlyWhatIsMeantForTheBotIsRead(t *testing.T) {
	town := newTown(t, newServer())
	for _, text := range []string{"help", "list of things", "delete everything", "", "what help is there?"} {
		town.send(inGroup(town.message(admin, text))).isSilence()
	}
	town.send(inGroup(town.message(admin, "!reg help"))).has("!reg create", "!reg help create explains")
	town.send(inGroup(town.message(admin, "!reg craete"))).has("Did you mean !reg create?")
	mention := inGroup(town.message(admin, "Registration Bot: whoami"))
	mention.Mentioned = true
	town.send(mention).has("You are @admin:example.com")
	if len(town.audited()) > 0 || strings.Contains(town.log.String(), "things") {
		t.Errorf("traces of what was not for the bot: %q, %s", town.audited(), town.log.String())
	}

	town.settings.Prefix = ""
	town.send(inGroup(town.message(admin, "!reg help"))).isSilence()
	mention = inGroup(town.message(admin, "help"))
	mention.Mentioned = true
	town.send(mention).has("@registration-bot:example.com create")
}

func TestTokensAreNotShownWhereOthersReadAlong(t *testing.T) {
	server := newServer()
	server.tokens["secret"] = tokens.Token{Text: "secret"}
	town := newTown(t, server)
	for _, command := range []string{"create", "list", "show secret", "update secret note=x", "rotate secret", "delete secret"} {
		m := inGroup(town.message(admin, "!reg "+command))
		town.send(m).has("write to me directly: @registration-bot:example.com").lacks("secret")
		if all := server.all(); !slices.Equal(all, []string{"secret"}) {
			t.Errorf("%s left %q", command, all)
		}
		m = town.message(admin, "!reg "+command)
		m.Direct = false // encrypted
		town.send(m).lacks("write to me directly")
		server.tokens = map[string]tokens.Token{"secret": {Text: "secret"}}
	}
	plain := town.message(admin, "show secret")
	plain.Encrypted = false
	town.send(plain).has("secret can be used")
}

func TestWhereEncryptionIsRequiredNothingElseIsAnswered(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	town.settings.EncryptionRequired = true
	for _, command := range []string{"create", "help", "whoami", "nonsense", "allow @x:example.org"} {
		m := town.message(admin, command)
		m.Encrypted = false
		town.send(m).is("I answer only in encrypted chats. Open a new direct chat with @registration-bot:example.com, " +
			"which is encrypted unless you switch that off, and say it again there.")
	}
	if len(server.all()) > 0 || len(town.store.rows.Entries) > 0 {
		t.Error("a refused command had an effect")
	}
	town.says(admin, "create").code()
}

func TestOldCommandsAreNotRun(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	m := town.message(manager, "create")
	m.Waited = 59 * time.Minute
	town.send(m).code()
	m = town.message(manager, "create")
	m.Waited = 3 * time.Hour
	town.send(m).has("I was away", "3 hours", "send it again")
	if n := len(server.all()); n != 1 {
		t.Errorf("there are %d tokens", n)
	}
	town.settings.MaxCommandAge = 0
	town.send(m).code()
}

func TestWhoIsTooFastIsToldSoOnce(t *testing.T) {
	for _, who := range []id.UserID{nobody, inviter} {
		town := newTown(t, newServer())
		for range 20 {
			town.says(who, "help").has("What you can write")
		}
		town.says(who, "help").has("more than 20 commands within a minute")
		for range 3 {
			town.says(who, "help").isSilence()
		}
		town.says(friend, "help").has("What you can write")
		town.now = town.now.Add(time.Minute + time.Second)
		town.says(who, "help").has("What you can write")
	}
}

func TestChatterInGroupsDoesNotCount(t *testing.T) {
	town := newTown(t, newServer())
	for range 50 {
		town.send(inGroup(town.message(inviter, "hello everybody"))).isSilence()
	}
	town.says(inviter, "help").has("What you can write")
}

func TestManagersAreNeverTooFast(t *testing.T) {
	town := newTown(t, newServer())
	for range 50 {
		town.says(manager, "help").has("What you can write")
	}
}
