package chat

import "sync"

// Status is how the bot's surroundings are, in words for /ready.
type Status struct {
	Homeserver string // "ok", "starting" or what is wrong
	WayBack    string // whether the homeserver reaches the bot
}

type status struct {
	mu sync.Mutex
	Status
}

// Status tells how homeserver and way back are.
func (b *Bot) Status() Status {
	b.status.mu.Lock()
	defer b.status.mu.Unlock()
	return b.status.Status
}

func (s *status) homeserver(how string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Homeserver = how
}

func (s *status) wayBack(how string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.WayBack = how
}
