//go:build e2e

package crash

import "context"

const (
	newsOn  = "notify:\n  enabled: true"
	newsOff = "notify:\n  enabled: false"
)

// newsOnce lets somebody register while the bot does not look for news, then has
// it look, with a crash at the given point if it meets it. It returns the points
// up to the end of the delivery.
func newsOnce(w *walk, point string) (met []string) {
	w.Helper()
	if !w.looked { // the first look ever asks less than the others
		w.lookForNews(true)
		w.hearsNextNews()
		w.lookForNews(false)
		w.looked = true
	}
	token := w.newName()
	w.must(w.makeOne(token))
	w.must(w.SignUp(w.Context(), "user-"+token, "correct horse battery", token))
	w.must(w.ledger.Idle(w.Context()))

	heard := false
	met = w.surviving(point, func() { w.lookForNews(true) }, func(ctx context.Context) error {
		if !heard {
			news, err := w.Hear(ctx)
			if err != nil {
				return err
			}
			w.says(news, "Somebody registered", token)
			heard = true
		}
		return w.end(ctx)
	})

	w.hearsNextNews() // and not the same again
	w.lookForNews(false)
	return met
}

// hearsNextNews lets a token expire, and hears nothing but that.
func (w *walk) hearsNextNews() {
	w.Helper()
	token := w.newName()
	w.must(w.makeOne(token))
	w.must(w.EndToken(w.Context(), token))
	news, err := w.Hear(w.Context())
	w.must(err)
	w.says(news, "has expired", token)
}

// lookForNews has the bot look for news, or stop looking.
func (w *walk) lookForNews(on bool) {
	w.Helper()
	from, to := newsOn, newsOff
	if on {
		from, to = newsOff, newsOn
	}
	w.must(w.bot.EditConfig(from, to))
	w.must(w.bot.Reload())
}
