package news

import "context"

// Round is one turn of Run.
func (w *Watcher) Round(ctx context.Context) error { return w.round(ctx, w.Settings()) }
