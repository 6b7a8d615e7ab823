package commands

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// Command is one line of the command table. What people read about it has the
// locale keys Name+".usage", ".summary" and ".details"; what else its name can be
// stands in the language files too.
//
// There are three kinds of commands. Most only read: they run before the
// commit and may ask the server. Stored ones change our own database and run
// in the transaction that also commits their answer. The third kind plans
// effects on the server: Run returns the steps, the ledger sees to it that each
// is done exactly once, and Report writes the answer.
type Command struct {
	Name    string
	Aliases []string    // in English
	Role    access.Role // the least that may use it
	Options []string    // keys of the `key=value` that it takes

	Wordless bool // takes nothing else either
	Stored   bool
	Secret   bool // shows tokens: not in group rooms that are not encrypted
	Hidden   bool // not listed in help

	// Needs tells whether a server can do it at all; nil = every server.
	Needs func(tokens.Abilities) bool
	// Differs is the locale key of what help adds about a server with these
	// abilities, "" for nothing; nil = nothing.
	Differs func(tokens.Abilities) string

	Run Handler
	// Confirmed goes on when the person said yes to the question that Run asked.
	Confirmed Handler
	Report    Reporter
}

// Handler answers a command, or says what its effects should be.
type Handler func(ctx context.Context, r *Request) (Reply, error)

// Reporter writes the answer of a command whose steps have ended. It knows
// only the steps: the rest may be from before a crash.
type Reporter func(ctx context.Context, r *Request, steps []Step) (Reply, error)

// all is the command table, in the order of help.
func all() []*Command {
	return []*Command{
		create(),
		list(),
		show(),
		update(),
		rotate(),
		remove(),
		removeExpired(),
		removeAll(),
		restore(),
		allow(),
		disallow(),
		allowed(),
		audit(),
		whoami(),
		language(),
		notify(),
		help(),
		confirm(),
		cancel(),
	}
}

// table finds commands by their names.
type table struct {
	commands []*Command
	byName   map[string]*Command // English names and aliases
	catalog  *locale.Catalog     // knows the names in other languages
}

// newTable panics if two commands share a name.
func newTable(commands []*Command, catalog *locale.Catalog) table {
	t := table{commands: commands, byName: make(map[string]*Command), catalog: catalog}
	for _, c := range commands {
		for _, name := range append([]string{c.Name}, c.Aliases...) {
			if other, taken := t.byName[name]; taken {
				panic(fmt.Sprintf("commands %s and %s are both called %q", other.Name, c.Name, name))
			}
			t.byName[name] = c
		}
	}
	return t
}

// find returns a command by name or alias, in any language and letter case,
// or nil. Marks around the name don't count: people end a sentence with a full
// stop, and know commands with a slash from elsewhere.
func (t table) find(name string) *Command {
	for _, name := range []string{name, strings.TrimFunc(name, unicode.IsPunct)} {
		if command, ok := t.byName[strings.ToLower(name)]; ok {
			return command
		}
		if command, ok := t.byName[t.catalog.Meaning(name)]; ok {
			return command
		}
	}
	return nil
}

// open returns what a role may use on a server, without the hidden ones.
func (t table) open(role access.Role, able tokens.Abilities) []*Command {
	var open []*Command
	for _, c := range t.commands {
		if !c.Hidden && role >= c.Role && (c.Needs == nil || c.Needs(able)) {
			open = append(open, c)
		}
	}
	return open
}

// nearest returns the name that a mistyped one was most likely meant to be, in
// any language, or "". Of several English ones the first counts.
func (t table) nearest(name string, role access.Role, able tokens.Abilities) string {
	if len(name) > 2*longestName {
		return ""
	}
	var names, foreign []string
	for _, c := range t.open(role, able) {
		names = append(append(names, c.Name), c.Aliases...)
		foreign = append(foreign, t.catalog.Words(c.Name)...)
	}
	near := nearest(strings.ToLower(name), append(names, foreign...))
	if command, isEnglish := t.byName[near]; isEnglish {
		return command.Name
	}
	return near
}

// longestName is more than the bytes of any command's name.
const longestName = 20

// For returns the names of the commands that take this role and no lower one.
func For(role access.Role) []string {
	var names []string
	for _, c := range all() {
		if c.Role == role && !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}
