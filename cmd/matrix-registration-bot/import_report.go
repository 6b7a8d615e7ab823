//go:build goolm

package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"net/url"
	"strings"

	"matrix-registration-bot/access"
	"matrix-registration-bot/commands"
	"matrix-registration-bot/oldbot"
)

//go:embed old-account.tmpl
var oldAccountTemplate string

// importReport is what import says: what it has understood, line by line, and
// what the admin has to do.
type importReport struct {
	settings
	Lines    []string // about the old settings
	Outcomes []oldbot.Outcome
	DryRun   bool
	Files    []string // that were written, as in nextSteps
	Root     bool
}

func (r importReport) String() string {
	var b strings.Builder
	b.WriteString("The settings of the old bot:\n")
	for _, line := range r.Lines {
		b.WriteString("  " + line + "\n")
	}
	r.list(&b, "block-list", true)
	r.list(&b, "allow-list", false)
	b.WriteString("\nWho may do what:\n")
	for _, line := range r.people() {
		b.WriteString("  " + line + "\n")
	}
	if r.DryRun {
		b.WriteString("\nNothing was written: this was a dry run.\n")
		return b.String()
	}
	values := r.values()
	values["password_api"] = strings.TrimRight(cmp.Or(r.AdminAPI, r.Homeserver), "/") + "/_synapse/admin/v1/reset_password/" + url.PathEscape(r.UserID())
	b.WriteString("\n" + fill(oldAccountTemplate, values) + "\n")
	b.WriteString(nextSteps{settings: r.settings, Files: r.Files, Root: r.Root}.String())
	return b.String()
}

// list says what becomes of the entries of a list.
func (r importReport) list(b *strings.Builder, name string, blocked bool) {
	title := "\nThe " + name + " of the old bot:\n"
	for _, outcome := range r.Outcomes {
		if outcome.Blocked == blocked {
			fmt.Fprintf(b, "%s  %s\n      -> %s\n", title, outcome.Old, r.became(outcome))
			title = ""
		}
	}
}

// became says what an entry has become.
func (r importReport) became(o oldbot.Outcome) string {
	pattern := o.Pattern.String()
	text := access.Manager.String()
	switch {
	case o.Err != nil:
		return fmt.Sprintf("left out: %s", o.Err)
	case pattern == r.Admin:
		return "left out: config.yaml makes them an admin"
	case o.Blocked:
		text = "refused"
	}
	if pattern != o.Old {
		text += ", as " + pattern
	}
	if o.Damaged {
		text += ". The old bot had damaged this entry: it has matched nobody since"
	}
	if o.Literal {
		text += ". It has matched nobody so far, because + had another meaning"
	}
	if !o.Blocked && o.Pattern.Kind() != access.OneUser && o.Pattern.AdmitsOthers(r.Domain) {
		text += ". It matches people of other servers than " + r.Domain + " too"
	}
	return text
}

// entries are those to be stored: of the allow-list as managers, of the block-list
// as refusals.
func (r importReport) entries() []access.Entry {
	var entries []access.Entry
	for _, o := range r.Outcomes {
		pattern := o.Pattern.String()
		switch {
		case o.Err != nil, pattern == r.Admin:
		case o.Blocked:
			entries = append(entries, access.Entry{Pattern: pattern, Role: access.None})
		default:
			entries = append(entries, access.Entry{Pattern: pattern, Role: access.Manager})
		}
	}
	return entries
}

// people says who may do what from now on.
func (r importReport) people() []string {
	lines := []string{
		fmt.Sprintf("%s is the admin, in config.yaml.", r.Admin),
		fmt.Sprintf("Only an admin may use these commands now: %s.", strings.Join(commands.For(access.Admin), ", ")),
	}
	empty, managers := true, 0
	for _, o := range r.Outcomes {
		empty = empty && o.Blocked
	}
	for _, entry := range r.entries() {
		if entry.Role == access.Manager {
			managers++
		}
	}
	if empty {
		return append(lines,
			"The old bot's allow-list was empty, which let everyone in, on every server. That is not carried over.",
			fmt.Sprintf("Nobody else gets in. Let people in with the command allow, or everyone on %s by permissions in config.yaml.", r.Domain))
	}
	return append(lines,
		fmt.Sprintf("Entries of the allow-list that are managers now: %d. Managers may see, make and delete all tokens.", managers),
		"Nobody else gets in.")
}
