package tokenstest

import (
	"sync"

	"matrix-registration-bot/tokens"
)

// shelf is where a server has its tokens that keeps nothing else with them.
type shelf struct {
	lock   sync.Mutex
	tokens map[string]tokens.Token // by text
}

// Use lets somebody register with a token.
func (s *shelf) Use(text string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	token := s.tokens[text]
	token.Completed++
	s.tokens[text] = token
}
