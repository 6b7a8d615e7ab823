package store

import (
	"context"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
)

// Person implements commands.Store.
func (d *DB) Person(ctx context.Context, user id.UserID) (commands.Person, error) {
	person, known, err := first(ctx, d, "reading a person's settings", func(row dbutil.Scannable) (p commands.Person, err error) {
		err = row.Scan(&p.Language, &p.Notify)
		return p, err
	}, `SELECT language, notify FROM people WHERE user_id=$1`, user)
	if err == nil && !known {
		person = commands.NewPerson()
	}
	return person, err
}

// SavePerson implements commands.Store.
func (d *DB) SavePerson(ctx context.Context, user id.UserID, p commands.Person) error {
	return d.exec(ctx, "saving a person's settings", `
		INSERT INTO people (user_id, language, notify) VALUES ($1, $2, $3)
		ON CONFLICT (user_id) DO UPDATE SET language=excluded.language, notify=excluded.notify`,
		user, p.Language, p.Notify)
}
