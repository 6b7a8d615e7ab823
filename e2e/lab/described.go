package lab

import (
	"context"
	"errors"
	"fmt"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/event/cmdschema"
	"maunium.net/go/mautrix/id"
)

// Described are the commands of the bot that clients which know MSC4391 offer in
// the room, by name.
func (c *Chat) Described(ctx context.Context) (map[string]*cmdschema.EventContent, error) {
	state, err := c.person.client.State(ctx, c.RoomID)
	if err != nil {
		return nil, fmt.Errorf("looking for commands: %w", err)
	}
	described := make(map[string]*cmdschema.EventContent)
	for key, evt := range state[event.StateMSC4391BotCommand] {
		content, ok := evt.Content.Parsed.(*cmdschema.EventContent)
		if ok && evt.Sender == c.bot && content.IsValid() && content.StateKey(c.bot) == key {
			described[content.Command] = content
		}
	}
	return described, nil
}

// Pick sends what such a client makes of a command that is typed into it:
// `/create --uses=5`.
func (c *Chat) Pick(ctx context.Context, text string) (id.EventID, error) {
	described, err := c.Described(ctx)
	if err != nil {
		return "", err
	}
	for _, command := range described {
		content, err := command.ParseInput(c.bot, []string{"/"}, text)
		if err != nil {
			return "", fmt.Errorf("taking %q apart: %w", text, err)
		} else if content != nil {
			return c.Send(ctx, content)
		}
	}
	return "", errors.New("no command is described that fits " + text)
}
