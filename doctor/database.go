package doctor

import (
	"context"
	"fmt"
)

// database looks whether the database can be used by this program.
func database(ctx context.Context, p *Patient) Finding {
	exists, err := p.Database.Look(ctx)
	switch {
	case err != nil:
		return problem(fmt.Sprintf("The database can't be used: %s.", oneLine(err)), "Check database.uri, and that the database runs and lets the bot in.")
	case !exists:
		return warning("The database is empty.", "Start the bot: it makes what it needs.")
	}
	return ok("The database answers, and its schema fits this program.")
}
