package lab

import "fmt"

// Successor returns another copy of the bot, with the same files and a log of
// its own, that does not run yet: the next one of a rolling restart.
func (l *Lab) Successor(b *Bot) *Bot {
	next := *b
	next.process = nil
	next.log = fmt.Sprintf("bot-%d.log", len(l.bots))
	l.keep(&next)
	return &next
}
