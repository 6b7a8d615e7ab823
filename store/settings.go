package store

import "context"

// Setting returns a value that the program remembers about itself; empty if
// there is none.
func (d *DB) Setting(ctx context.Context, name string) (string, error) {
	value, _, err := first(ctx, d, "reading a setting", scanOne[string], `SELECT value FROM settings WHERE name=$1`, name)
	return value, err
}

// PutSetting remembers a value.
func (d *DB) PutSetting(ctx context.Context, name, value string) error {
	return d.exec(ctx, "saving a setting",
		`INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value=excluded.value`, name, value)
}
