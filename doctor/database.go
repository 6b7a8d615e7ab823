package doctor

import (
	"context"
	"errors"
	"fmt"

	"matrix-registration-bot/store"
)

// database looks whether the database can be used by this program.
func database(ctx context.Context, p *Patient) Finding {
	exists, err := p.Database.Look(ctx)
	switch {
	case errors.Is(err, store.ErrNewer):
		return problem(fmt.Sprintf("The database can't be used: %s.", oneLine(err)),
			"Run the newer version of this program, or put the copy back that was made before the upgrade: see docs/install/upgrading.md.")
	case err != nil:
		return problem(fmt.Sprintf("The database can't be used: %s.", oneLine(err)), "Check database.uri, and that the database runs and lets the bot in.")
	case !exists:
		return warning("The database is empty.", "Start the bot: it makes what it needs.")
	}
	held, err := p.Database.Held(ctx)
	running := p.running(ctx)
	switch {
	case err != nil:
		return problem(fmt.Sprintf("Who works with the database can't be seen: %s.", oneLine(err)), "Check database.uri, and that this user may read the database's files.")
	case held && !running:
		return warning(
			fmt.Sprintf("A bot works with this database, but none answers at %s: is it another copy?", p.Config.Appservice.Listen),
			"Run the bot once only, and doctor on the same machine or in the same container, with the same config.")
	case running && !held:
		return warning(
			fmt.Sprintf("A bot answers at %s, but none works with this database: is it another copy?", p.Config.Appservice.Listen),
			"Run the bot once only, and doctor with the same config.")
	case running:
		return ok("The database answers, its schema fits this program, and one bot works with it.")
	}
	return ok("The database answers, and its schema fits this program.")
}
