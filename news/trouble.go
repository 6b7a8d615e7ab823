package news

import (
	"context"
	"errors"

	"matrix-registration-bot/tokens"
)

// trouble is what went wrong last.
type trouble string

// isNew tells whether something goes wrong, and not as it did the last time.
func (t *trouble) isNew(err error) bool {
	before := *t
	if *t = ""; err != nil {
		*t = trouble(err.Error())
	}
	return *t != "" && *t != before
}

// report logs what goes wrong, once as long as it stays the same.
func (w *Watcher) report(ctx context.Context, looking, telling error) {
	if ctx.Err() != nil {
		return
	}
	if w.looking.isNew(looking) {
		if awaitsAdmin(looking) {
			w.Log.Info().Err(looking).Str("do", "matrix-registration-bot doctor says how the bot gets in").
				Msg("News has to wait until the bot may use the token API")
		} else {
			w.Log.Warn().Err(looking).Msg("Looking for news failed; trying again")
		}
	}
	if w.telling.isNew(telling) {
		w.Log.Warn().Err(telling).Msg("Telling news failed; trying again")
	}
}

// awaitsAdmin tells whether the server has clearly said no, as it does until the
// bot is a server admin.
func awaitsAdmin(err error) bool {
	var failure *tokens.Error
	return errors.As(err, &failure) && !tokens.Temporary(err)
}
