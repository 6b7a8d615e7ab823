package commands

import (
	"fmt"
	"strings"
	"testing"

	"matrix-registration-bot/access"
)

func TestTheAuditSaysWhoDidWhat(t *testing.T) {
	town, _ := onSynapse(t)
	town.says(admin, "audit").is("Nothing has been done yet.")
	town.says(inviter, "create token=chess-club")
	town.says(inviter, "create uses=9").has("one account only")
	town.says(nobody, "create").has("takes the role")
	town.says(manager, "delete chess-club nothing")
	town.says(admin, "allow @anna:example.org inviter")
	town.says(admin, "audit").is("The last 6, newest first:\n" +
		"- Tue 1 Dec 2099 05:50 UTC · @admin:example.com admin · allow @anna:example.org · done\n" +
		"- Tue 1 Dec 2099 05:50 UTC · @manager:example.com manager · delete noth… · failed\n" +
		"- Tue 1 Dec 2099 05:50 UTC · @manager:example.com manager · delete ches… · done\n" +
		"- Tue 1 Dec 2099 05:50 UTC · @nobody:elsewhere.org none · create · refused\n" +
		"- Tue 1 Dec 2099 05:50 UTC · @inviter:example.com inviter · create · refused\n" +
		"- Tue 1 Dec 2099 05:50 UTC · @inviter:example.com inviter · create ches… · done")
	town.says(admin, "audit 1").has("The last one", "allow").lacks("delete")
	town.says(admin, "audit @inviter:example.com").has("The last 2", "create ches…").lacks("@manager", "@nobody")
	town.says(admin, "audit 1 @inviter:example.com").has("The last one", "refused").lacks("done")
	town.says(admin, "audit @inviter:example.com 1").has("The last one", "refused").lacks("done")
	town.says(admin, "audit @stranger:example.com").is("Nothing has been done yet.")
	for _, word := range []string{"0", "-1", "201", "many", "@anna", "99999999999999999999"} {
		town.says(admin, "audit "+word).has("I don't understand "+word+" here", "up to 200")
	}
	town.says(manager, "audit").has("takes the role admin")
	town.send(inGroup(town.message(admin, "!reg audit"))).has("write to me directly")
}

func TestALongAuditComesInSeveralMessages(t *testing.T) {
	town, _ := onSynapse(t)
	for n := range 250 {
		town.store.rows.Audit = append(town.store.rows.Audit, AuditRecord{
			At: town.now, User: inviter, Role: access.Inviter, Command: "allow", Outcome: done,
			Subject: fmt.Sprintf("@%03d%s:example.org", n, strings.Repeat("<", 200)),
		})
	}
	a := town.says(admin, "audit 200").has("The last 200", "@249<", "@050<").lacks("@049<")
	if len(a.Texts) < 2 {
		t.Error("the test should need more than one message")
	}
	for _, text := range a.Texts {
		if size := weigh(text.Text); size > 30<<10 {
			t.Errorf("a message has %d bytes", size)
		}
	}
}
