package commands

import (
	"context"
	"strings"
	"testing"
)

func TestHelpShowsWhatThePersonMayDo(t *testing.T) {
	town := newTown(t, newServer())
	town.says(nobody, "help").has("whoami", "help [command]", "To get a role, ask @admin:example.com.").lacks("create", "allow")
	town.says(inviter, "help").has("create [uses=N]", "list [valid", "show <token>", "delete <token>", "help create explains").lacks("allow", "delete-all", "To get a role")
	town.says(manager, "help").has("create").lacks("allow", "delete-all")
	town.says(admin, "help").has("create", "delete-all", "allow <user", "disallow", "allowed").lacks("confirm")
}

func TestHelpExplainsEachCommand(t *testing.T) {
	town := newTown(t, newServer())
	for _, command := range town.bot.table.commands {
		if command.Hidden {
			continue
		}
		a := town.says(admin, "help "+strings.ToUpper(command.Name))
		for _, part := range []string{".usage", ".details"} {
			a.lacks(command.Name + part)
		}
		town.says(admin, "help").lacks(command.Name + ".summary")
	}
	town.says(admin, "help create").has("create uses=5 expires=14d")
	town.says(admin, "help craete").has("Did you mean create?")
	town.says(admin, "help confirm").has("I don't know confirm")
	town.says(nobody, "help create").has("create takes the role inviter", "@admin:example.com")
}

func TestWhoami(t *testing.T) {
	town := newTown(t, newServer())
	town.says(inviter, "whoami").is("You are @inviter:example.com, and your role is inviter.\n\n" +
		"The entries about you:\n- example.com inviter, in config.yaml, this one counts")
	town.says(nobody, "whoami").is("You are @nobody:elsewhere.org, and your role is none.\n\n" +
		"No entry is about you.\n\nTo get a role, ask @admin:example.com.")
	town.says(admin, "allow @*:elsewhere.org inviter")
	town.says(nobody, "whoami").has("@*:elsewhere.org inviter, on the list, this one counts")

	known, master := false, "ijkl mnop"
	town.settings.Identity = func(context.Context) (string, string, string, bool) {
		return "DEVICE", "abcd efgh", master, known
	}
	town.says(admin, "whoami").lacks("DEVICE")
	known = true
	town.says(admin, "whoami").has("session DEVICE", "session key abcd efgh", "master key ijkl mnop")
	master = ""
	town.says(admin, "whoami").has("session DEVICE", "session key abcd efgh", "can't sign this session")
}
