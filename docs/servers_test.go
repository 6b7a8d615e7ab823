package docs_test

import (
	"strings"
	"testing"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

// What the page says in the table of abilities, by the first words of a row.
func TestTheServersPageTellsTheAbilities(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "servers.md"), "\n| | Synapse | tuwunel | MAS | Dendrite |\n")
	rows := map[string][]string{}
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " *")
		}
		rows[cells[0]] = cells[1:]
	}
	for row, able := range map[string]func(tokens.Abilities) bool{
		"the text of a deleted token can be taken again":          func(a tokens.Abilities) bool { return !a.Revokes },
		"`restore`, `list revoked`":                               func(a tokens.Abilities) bool { return a.Revokes },
		"`show` knows of registrations that were begun":           func(a tokens.Abilities) bool { return a.Pending },
		"the server itself dates the last use, and so who it was": func(a tokens.Abilities) bool { return a.LastUser },
		"nobody can register without a token":                     func(a tokens.Abilities) bool { return !a.Unenforced },
	} {
		for column, config := range []tokens.Config{
			0: tokenstest.NewSynapse().Config(),
			2: tokenstest.NewMAS(t, tokenstest.MASOptions{}).Config(),
			3: {Kind: tokens.KindDendrite, Token: "t"},
		} {
			if config.Kind == "" {
				continue // tuwunel: a Synapse for the bot, and less for people
			}
			config.Homeserver = "http://homeserver.test"
			server, err := tokens.New(config)
			if err != nil {
				t.Fatal(err)
			}
			want := "no"
			if able(server.Abilities()) {
				want = "yes"
			}
			if len(rows[row]) != 4 || rows[row][column] != want {
				t.Errorf("%q of %s: the page says %q, it is %s", row, config.Kind, rows[row], want)
			}
		}
	}
}
