package docs_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

// column is a kind of server in the table of abilities.
type column struct {
	name   string
	server *tokens.API
	use    func(text string) // lets somebody register with a token
}

func columns(t *testing.T) []column {
	synapse, tuwunel, dendrite := tokenstest.StartSynapse(t), tokenstest.StartTuwunel(t), tokenstest.StartDendrite(t)
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	connect := func(config tokens.Config) *tokens.API {
		server, err := tokens.New(config)
		if err != nil {
			t.Fatal(err)
		}
		return server
	}
	return []column{
		{"Synapse", connect(synapse.Config()), func(text string) { synapse.Put(tokens.Token{Text: text, Uses: new(1), Completed: 1}) }},
		{"tuwunel", connect(tuwunel.Config()), tuwunel.Use},
		{"MAS", connect(mas.Config()), func(text string) { mas.Register("somebody", text) }},
		{"Dendrite", connect(dendrite.Config()), dendrite.Use},
	}
}

// create makes a token for one use.
func (c column) create(t *testing.T) (text string) {
	t.Helper()
	text = tokens.Draw(16)
	if _, err := c.server.Create(t.Context(), tokens.Spec{Text: text, Uses: new(1)}); err != nil {
		t.Fatal(err)
	}
	return text
}

// deleted makes a token and deletes it.
func (c column) deleted(t *testing.T) (text string) {
	t.Helper()
	text = c.create(t)
	if err := c.server.Delete(t.Context(), text); err != nil {
		t.Fatal(err)
	}
	return text
}

// listed tells whether the server's list holds a token.
func (c column) listed(t *testing.T, text string) bool {
	t.Helper()
	list, err := c.server.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(list, func(token tokens.Token) bool { return token.Text == text })
}

func yes(able bool) string {
	if able {
		return "yes"
	}
	return "no"
}

// abilities are what a server does, as the cells of a row begin.
var abilities = map[string]func(t *testing.T, c column) string{
	"`create`, `list`, `show`, `rotate`": func(t *testing.T, c column) string {
		text, old := c.create(t), c.create(t)
		_, showErr := c.server.Get(t.Context(), text)
		deleteErr := c.server.Delete(t.Context(), old) // of what rotate does, the second half
		return yes(showErr == nil && c.listed(t, text) && deleteErr == nil)
	},
	"`update`": func(t *testing.T, c column) string {
		changed, err := c.server.Update(t.Context(), tokens.Spec{Text: c.create(t), Uses: new(5)})
		return yes(err == nil && changed.Uses != nil && *changed.Uses == 5)
	},
	"`delete`, `delete-all`": func(t *testing.T, c column) string {
		if c.listed(t, c.deleted(t)) {
			return "the token stays, revoked"
		}
		return "for good"
	},
	"the text of a deleted token can be taken again": func(t *testing.T, c column) string {
		_, err := c.server.Create(t.Context(), tokens.Spec{Text: c.deleted(t)})
		return yes(!errors.Is(err, tokens.ErrExists))
	},
	"`restore`, `list revoked`": func(t *testing.T, c column) string {
		_, err := c.server.Restore(t.Context(), c.deleted(t))
		return yes(!errors.Is(err, tokens.ErrUnable))
	},
	"`show` knows of registrations that were begun": func(_ *testing.T, c column) string {
		// tuwunel has Synapse's API, and never anything pending in it.
		return yes(c.server.Abilities().Pending && c.name != "tuwunel")
	},
	"`list used`, `list expired`": func(t *testing.T, c column) string {
		text := c.create(t)
		c.use(text)
		return yes(c.listed(t, text))
	},
	"the server itself dates the last use, and so who it was": func(_ *testing.T, c column) string {
		return yes(c.server.Abilities().LastUser)
	},
	"news says who registered": func(t *testing.T, c column) string {
		_, accountsErr := c.server.NewAccounts(t.Context(), time.Now())
		_, userErr := c.server.LastUser(t.Context(), tokens.Token{Text: c.create(t)})
		if accountsErr == nil || userErr == nil {
			return "probably"
		}
		return "no"
	},
	"nobody can register without a token": func(_ *testing.T, c column) string {
		return yes(!c.server.Abilities().Unenforced)
	},
}

// Each cell begins with what the server does; a remark may follow.
func TestTheServersPageTellsTheAbilities(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "servers.md"), "\n## What works where\n\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var rows [][]string
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " *")
		}
		rows = append(rows, cells)
	}
	servers := columns(t)
	head := []string{""}
	for _, c := range servers {
		head = append(head, c.name)
	}
	if len(rows) != 2+len(abilities) || !slices.Equal(rows[0], head) {
		t.Fatalf("the table has the columns %q and %d rows, want %q and %d", rows[0], len(rows)-2, head, len(abilities))
	}
	for _, row := range rows[2:] {
		does := abilities[row[0]]
		if does == nil || len(row) != len(head) {
			t.Errorf("the row %q can't be checked", row)
			continue
		}
		for i, c := range servers {
			said, want := row[i+1], does(t, c)
			remark, begins := strings.CutPrefix(said, want)
			if !begins || remark != "" && !strings.ContainsAny(remark[:1], ",:") {
				t.Errorf("%q of %s: the page says %q, it is %s", row[0], c.name, said, want)
			}
		}
	}
}
