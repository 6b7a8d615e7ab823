package news

import (
	"context"
	"errors"
)

// Round is one turn of Run.
func (w *Watcher) Round(ctx context.Context) error { return errors.Join(w.round(ctx, w.Settings())) }
