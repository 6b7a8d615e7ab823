package lab

import "context"

// Moved returns the bot as it is in another folder, where its files must be, and
// that does not run yet: the one on a new machine.
func (l *Lab) Moved(b *Bot, dir string) (*Bot, error) {
	moved := *b
	moved.process = nil
	moved.dir = dir
	return &moved, l.adopt(&moved)
}

// Fingerprint is what `fingerprint` prints: the bot's device and keys.
func (b *Bot) Fingerprint(ctx context.Context) (string, error) {
	return b.Command(ctx, "-c", "config.yaml", "fingerprint")
}
