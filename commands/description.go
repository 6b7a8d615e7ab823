package commands

import (
	"context"
	"slices"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/event/cmdschema"
	"maunium.net/go/mautrix/id"
)

// wordsParameter is the one parameter of a described command that is no option:
// whatever else is written after the command.
const wordsParameter = "words"

// Descriptions tells clients (MSC4391) which commands a person may use, in the
// person's language.
func (d *Dispatcher) Descriptions(ctx context.Context, user id.UserID) ([]*cmdschema.EventContent, error) {
	r := d.request(Message{Sender: user, Direct: true})
	if err := d.identify(ctx, r); err != nil {
		return nil, err
	}
	var descriptions []*cmdschema.EventContent
	for _, c := range r.table.open(r.Role, r.abilities()) {
		descriptions = append(descriptions, r.description(c))
	}
	return descriptions, nil
}

// description has everything as optional text: the command itself knows best what
// it lacks, and says so in the person's language.
func (r *Request) description(c *Command) *cmdschema.EventContent {
	content := &cmdschema.EventContent{
		Command:     c.Name,
		Aliases:     slices.Concat(c.Aliases, r.language.Words(c.Name)),
		Description: r.extensible(c.Name + ".summary"),
	}
	for _, option := range c.Options {
		content.Parameters = append(content.Parameters, r.parameter(option, "described."+option))
	}
	if !c.Wordless {
		content.Parameters = append(content.Parameters, r.parameter(wordsParameter, c.Name+".usage"))
		content.TailParam = wordsParameter
	}
	return content
}

func (r *Request) parameter(key, text string) *cmdschema.Parameter {
	return &cmdschema.Parameter{
		Key: key, Schema: cmdschema.PrimitiveTypeString.Schema(), Optional: true, Description: r.extensible(text),
	}
}

func (r *Request) extensible(key string) *event.ExtensibleTextContainer {
	return event.MakeExtensibleText(r.text(key, nil).Plain)
}
