package commands

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/access"
)

func TestAllowTellsHowItUnderstoodAndWhatComesOfIt(t *testing.T) {
	const others = "Mind that this lets in people of other servers than example.com."
	for command, says := range map[string][]string{
		"allow @anna:example.com": {
			"I gave the user @anna:example.com the role manager.\nThe role is now manager, by these entries:\n" +
				"- @anna:example.com manager, on the list, this one counts\n- example.com inviter, in config.yaml",
		},
		"allow @anna:friends.org Inviter":         {"I gave the user @anna:friends.org the role inviter.", others},
		"allow @*:friends.org inviter":            {"everyone whose user id looks like @*:friends.org", others},
		"allow friends.org inviter":               {"everyone on the server friends.org", others},
		"allow * inviter":                         {"everyone on every server (*)", others},
		`allow /@(anna|bob):example\.com/ admin`:  {`everyone whose whole user id matches the regular expression /@(anna|bob):example\.com/`, "the role admin"},
		"allow example.com manager":               {"everyone on the server example.com", "- @admin:example.com admin, in config.yaml"},
		"allow anna":                              {"anna: a user id looks like @anna:example.org"},
		"allow @anna":                             {"@anna: a user id ends with a colon and the server"},
		"allow *.org":                             {"*.org: a * stands alone or in a user id"},
		"allow /[/":                               {"I can't read that regular expression"},
		"allow /.*/":                              {"also matches nothing at all"},
		"allow /abc":                              {"stands between slashes"},
		"allow " + strings.Repeat("x", 300):       {"at most 255 characters"},
		"allow https://matrix.to/#/@a:b.org":      {"that is no server name"},
		`allow "@anna b:example.com"`:             {"white space or something invisible"},
		`allow ""`:                                {"empty pattern"},
		"allow":                                   {"Whom?"},
		"allow manager":                           {"Whom?"},
		"allow @anna:example.com none":            {"write disallow"},
		"allow @admin:example.com inviter":        {"I can't change the role of the user @admin:example.com: config.yaml says admin"},
		"allow [ @anna:example.com manager":       {"[: that is no server name", "the role manager"},
		"allow @a:example.com @b:example.com":     {"@a:example.com the role manager", "@b:example.com the role manager"},
		"allow <b>@room</b> @anna:example.com":    {"<b>@room</b>: that is no server name", "@anna:example.com the role"},
		"allow @anna:example.com`":                {"I gave the user @anna:example.com the role manager"},
		"allow `@anna:example.com`":               {"I gave the user @anna:example.com the role manager"},
		"allow  @anna:example.com\u00a0manager\n": {"I gave the user @anna:example.com the role manager"},
	} {
		newTown(t, newServer()).says(admin, command).has(says...)
	}
	for _, command := range []string{"allow @anna:example.com", "allow @*:example.com", "allow example.com", `allow /@a.*:example\.com/`} {
		newTown(t, newServer()).says(admin, command).lacks(others)
	}
}

// A mistyped role must not become another one.
func TestAllowWithARoleThatIsNone(t *testing.T) {
	for _, command := range []string{"allow @anna:friends.org invitor", "allow @anna:friends.org role=inviter", "allow @anna:friends.org to create"} {
		town := newTown(t, newServer())
		town.says(admin, command).has("is neither a role nor somebody", "inviter, manager and admin").lacks("I gave")
		if role := town.role("@anna:friends.org"); role != access.None {
			t.Errorf("%q made anna %s", command, role)
		}
	}
	town := newTown(t, newServer())
	town.says(admin, "allow @anna:friends.org, @ben:friends.org, inviter").has("the user @anna:friends.org the role inviter", "the user @ben:friends.org the role inviter")
}

func TestMarkupInArgumentsIsNotMarkupInAnswers(t *testing.T) {
	town := newTown(t, newServer())
	const evil = `<a/href='https://matrix.to/#/@victim:example.com'>@room</a>`
	for _, command := range []string{"allow ", "disallow ", "show ", "delete ", "help ", "list ", "allowed ", "create ", "create token=", "create uses=", "create expires=", ""} {
		for _, text := range town.says(admin, command+evil).Texts {
			if strings.Contains(text.HTML, "<a") || !strings.Contains(text.HTML, "&lt;a") {
				t.Errorf("%s: %s", command, text.HTML)
			}
			if !strings.Contains(text.HTML, "<code>&lt;a") {
				t.Errorf("%s: what people wrote should stand as code: %s", command, text.HTML)
			}
		}
	}
}

func TestAllowKeepsWhoAndWhen(t *testing.T) {
	town := newTown(t, newServer())
	town.says(admin, "allow @anna:example.com @*:friends.org inviter")
	town.now = town.now.Add(time.Hour)
	town.says(admin, "allow @*:friends.org manager")
	want := []access.Entry{
		{Pattern: "@anna:example.com", Role: access.Inviter, AddedBy: admin, AddedAt: town.now.Add(-time.Hour)},
		{Pattern: "@*:friends.org", Role: access.Manager, AddedBy: admin, AddedAt: town.now},
	}
	if got := town.store.rows.Entries; !slices.Equal(got, want) {
		t.Errorf("the list is %v instead of %v", got, want)
	}
	town.says(admin, "allowed").is("2 entries made in chat, then those of the config:\n" +
		"- @anna:example.com inviter, by @admin:example.com on Tue 1 Dec 2099 05:50 UTC\n" +
		"- @*:friends.org manager, by @admin:example.com on Tue 1 Dec 2099 06:50 UTC\n" +
		"- @admin:example.com admin, in config.yaml\n" +
		"- @manager:example.com manager, in config.yaml\n" +
		"- example.com inviter, in config.yaml")
	if want := []string{
		"@admin:example.com allow done @anna:example.com",
		"@admin:example.com allow done @*:friends.org",
		"@admin:example.com allow done @*:friends.org",
	}; !slices.Equal(town.audited(), want) {
		t.Errorf("the audit is %q", town.audited())
	}
}

func TestDisallow(t *testing.T) {
	town := newTown(t, newServer())
	town.says(admin, "allow @anna:friends.org").has("manager")
	town.says(admin, "disallow @anna:friends.org").is("I took the user @anna:friends.org off the list.\n" +
		"The role is now none: no entry is about them.")
	town.says(admin, "disallow @anna:example.com").is(
		"I refuse the user @anna:example.com from now on, because other entries would still have let them in.\n" +
			"The role is now none, by these entries:\n" +
			"- @anna:example.com none, on the list, this one counts\n- example.com inviter, in config.yaml")
	town.says("@anna:example.com", "create").has("takes the role inviter")
	town.says(admin, "disallow @nobody:elsewhere.org").has("No role to take away from the user @nobody:elsewhere.org")
	town.says(admin, "disallow @admin:example.com").has("I can't refuse the user @admin:example.com: config.yaml lets them in")
	town.says(admin, "whoami").has("your role is admin")
	town.says(admin, "disallow example.com").has("I refuse everyone on the server example.com", "still let some of them in", "- @manager:example.com manager, in config.yaml")
	town.says(inviter, "list").has("takes the role inviter")
	town.says(manager, "list").lacks("takes the role")
	town.says(admin, "disallow").has("Whom?")
	town.says(admin, "disallow @[ foo @anna:friends.org").has("foo: a user id looks like", "No role to take away from the user @anna:friends.org")
	if outcomes := town.audited(); !slices.Contains(outcomes, "@admin:example.com disallow refused @admin:example.com") {
		t.Errorf("the audit is %q", outcomes)
	}
}

func TestTheLastEntryRemovedOpensNothing(t *testing.T) {
	town := newTown(t, newServer())
	town.settings.Permissions = access.Permissions{string(admin): access.Admin}
	town.says(admin, "allow @anna:friends.org")
	town.says(admin, "disallow @anna:friends.org")
	if n := len(town.store.rows.Entries); n != 0 {
		t.Fatalf("%d entries are left", n)
	}
	town.says("@anna:friends.org", "create").has("takes the role inviter")
	town.says(nobody, "create").has("takes the role inviter")
}

func TestACommitThatFailsIsDoneAgain(t *testing.T) {
	town := newTown(t, newServer())
	m := town.message(admin, "allow @anna:friends.org")
	finish, err := town.bot.Handle(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		if entries, audit := town.store.rows.Entries, town.store.rows.Audit; len(entries) != 1 || len(audit) != 1 {
			t.Errorf("there are %d entries and %d audit records", len(entries), len(audit))
		}
		town.store.rows.Entries, town.store.rows.Audit = nil, nil // the commit failed
	}
}

func TestAllowedHasPages(t *testing.T) {
	town := newTown(t, newServer())
	for n := range 30 {
		town.says(admin, fmt.Sprintf("allow @user%02d:friends.org", n))
	}
	town.says(admin, "allowed").has("@user19", "Page 1 of 2. allowed 2 shows the next.").lacks("@user20")
	town.says(admin, "allowed 2").has("@user20", "@user29", "in config.yaml")
	town.says(admin, "allowed 3").has("only 2 pages")
	town.says(admin, "allowed x").has("don't understand x")
}
