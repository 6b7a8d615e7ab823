package commands

import (
	"context"
	"slices"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
)

func help() *Command {
	return &Command{Name: "help", Aliases: []string{"?"}, Run: explain}
}

func explain(_ context.Context, r *Request) (Reply, error) {
	if len(r.Args) > 0 {
		return r.explainCommand(r.Args[0])
	}
	var lines []locale.Text
	for _, c := range r.table.open(r.Role, r.abilities()) {
		lines = append(lines, r.text("help.line", locale.Args{
			"usage": r.text(c.Name+".usage", nil), "summary": r.text(c.Name+".summary", nil),
		}))
	}
	parts := []locale.Text{locale.Lines(r.text("help.begin", nil), locale.List(lines...))}
	if r.Role == access.None {
		parts = append(parts, r.text("access.ask", locale.Args{"ask": r.whomToAsk()}))
	} else {
		parts = append(parts, r.text("help.end", nil))
	}
	return say(locale.Paragraphs(parts...)), nil
}

// explainCommand says all about one command, if the person may use it.
func (r *Request) explainCommand(name string) (Reply, error) {
	command := r.table.find(name)
	switch {
	case command == nil || command.Hidden:
		return Reply{}, r.unknown(name)
	case r.Role < command.Role:
		return Reply{}, r.mistake("access.refused", r.lacking(command))
	}
	parts := []locale.Text{
		r.text("help.command", locale.Args{"usage": r.text(command.Name+".usage", nil)}),
		r.text(command.Name+".details", nil),
	}
	var names []locale.Text
	for _, name := range slices.Concat(command.Aliases, r.language.Words(command.Name)) {
		names = append(names, locale.Code(name))
	}
	if names != nil {
		parts = append(parts, r.text("help.aliases", locale.Args{"names": locale.Join(", ", names...)}))
	}
	if command.Needs != nil && !command.Needs(r.abilities()) {
		parts = append(parts, r.text("server.unable", nil))
	}
	if command.Differs != nil {
		if key := command.Differs(r.abilities()); key != "" {
			parts = append(parts, r.text(key, nil))
		}
	}
	return say(locale.Paragraphs(parts...)), nil
}
