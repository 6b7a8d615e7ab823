package commands

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"matrix-registration-bot/locale"
)

func TestTheReadmeListsTheCommands(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	english := catalog.Language("en")
	cell := func(key string) string {
		return strings.ReplaceAll(english.Text(key, locale.Args{"prefix": ""}).Plain, "|", `\|`)
	}

	want := "| command | short | from role | in the bot's words |\n|---|---|---|---|\n"
	for _, c := range all() {
		if c.Hidden {
			continue
		}
		short := ""
		for _, alias := range c.Aliases {
			short = strings.TrimPrefix(short+", `"+alias+"`", ", ")
		}
		want += fmt.Sprintf("| `%s` | %s | %s | %s |\n", cell(c.Name+".usage"), short, c.Role, cell(c.Name+".summary"))
	}
	_, rest, _ := strings.Cut(string(readme), "<!-- commands: compared with the command table by a test -->\n")
	if table, _, found := strings.Cut(rest, "<!-- end of commands -->\n"); !found || table != want {
		t.Errorf("the table of README.md should be\n%s", want)
	}
}
