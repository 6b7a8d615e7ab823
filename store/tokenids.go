package store

import "context"

// TokenID implements tokens.IDs.
func (d *DB) TokenID(ctx context.Context, text string) (string, error) {
	id, _, err := first(ctx, d, "looking up a token's id", scanOne[string], `SELECT id FROM token_ids WHERE token=$1`, text)
	return id, err
}

// SaveTokenID implements tokens.IDs.
func (d *DB) SaveTokenID(ctx context.Context, text, id string) error {
	return d.exec(ctx, "saving a token's id",
		`INSERT INTO token_ids (token, id) VALUES ($1, $2) ON CONFLICT (token) DO UPDATE SET id=excluded.id`, text, id)
}
