package tokens

import (
	"context"
	"sync"
)

// IDs remembers under which ids MAS keeps tokens: it can't look them up by
// their texts. What is forgotten is found again, by reading the whole list.
type IDs interface {
	// TokenID returns the id of a token, empty if it is not known.
	TokenID(ctx context.Context, text string) (id string, err error)
	// SaveTokenID adds the id of a token, or replaces it.
	SaveTokenID(ctx context.Context, text, id string) error
}

// memoryIDs remembers until the program ends.
type memoryIDs struct{ byText sync.Map }

func (m *memoryIDs) TokenID(_ context.Context, text string) (string, error) {
	id, _ := m.byText.Load(text)
	found, _ := id.(string)
	return found, nil
}

func (m *memoryIDs) SaveTokenID(_ context.Context, text, id string) error {
	m.byText.Store(text, id)
	return nil
}
