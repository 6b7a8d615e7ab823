//go:build e2e

package crash

import (
	"slices"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/lab"
)

// command is something that an admin says to the bot.
type command struct {
	name    string
	prepare func(w *walk) error // what has to be there before; need not be undone
	give    func(w *walk) (id.EventID, error)
	check   func(w *walk, answers []lab.Message)
	once    func(w *walk, point string) (met []string) // instead of all these: see walk.once

	// What has to come of it, exactly.
	answers, marks int // messages, and reactions under the first one
	steps          int // of its plan
	effects        int // in the audit
}

func commands() []command {
	return []command{
		{
			name:    "create",
			prepare: nothing,
			give:    says("create"),
			check: func(w *walk, answers []lab.Message) {
				codes := answers[0].Codes()
				if len(codes) == 0 {
					w.Fatalf("the answer shows no token: %s", answers[0].Body)
				}
				w.made(codes[0], answers)
			},
			answers: 2, steps: 1, effects: 1,
		},
		{
			name:    "create token=text",
			prepare: nothing,
			give:    func(w *walk) (id.EventID, error) { return w.Say(w.Context(), "create token="+w.play.name) },
			check:   func(w *walk, answers []lab.Message) { w.made(w.play.name, answers) },

			answers: 2, steps: 1, effects: 1,
		},
		{
			name:    "delete",
			prepare: func(w *walk) error { return w.makeOne(w.play.name) },
			give:    func(w *walk) (id.EventID, error) { return w.Say(w.Context(), "delete "+w.play.name) },
			check: func(w *walk, answers []lab.Message) {
				w.says(answers[0], w.play.name+" is deleted")
				w.same("tokens", w.tokens(), w.play.before)
			},
			answers: 1, steps: 1, effects: 1,
		},
		{
			name:    "delete-all",
			prepare: threeTokens,
			give:    says("delete-all"),
			check: func(w *walk, answers []lab.Message) {
				w.says(answers[0], "all 3 tokens")
				answer, err := w.Ask(w.Context(), "confirm")
				w.must(err)
				w.says(answer, "3 tokens are deleted")
				w.same("tokens", w.tokens(), nil)
			},
			answers: 1, marks: 2,
		},
		{
			name:    "confirm by word",
			prepare: askToDeleteAll,
			give:    says("confirm"),
			check:   onlyTheLatecomer,

			answers: 1, steps: 3, effects: 3,
		},
		{
			name:    "confirm by reaction",
			prepare: askToDeleteAll,
			give: func(w *walk) (id.EventID, error) {
				return "", w.React(w.Context(), w.play.question.ID, "confirm")
			},
			check: onlyTheLatecomer,

			answers: 1, steps: 3, effects: 3,
		},
		{
			name:    "allow",
			prepare: nothing,
			give: func(w *walk) (id.EventID, error) {
				return w.Say(w.Context(), "allow @"+w.play.name+":friends.test")
			},
			check: func(w *walk, answers []lab.Message) {
				user := "@" + w.play.name + ":friends.test"
				w.says(answers[0], user, "manager")
				list, err := w.Ask(w.Context(), "allowed")
				w.must(err)
				w.says(list, "1 entry made in chat", user+" manager")
				_, err = w.Ask(w.Context(), "disallow "+user)
				w.must(err)
			},
			answers: 1, effects: 1,
		},
		{
			name: "news",
			once: newsOnce,
		},
	}
}

func nothing(*walk) error { return nil }

func says(text string) func(w *walk) (id.EventID, error) {
	return func(w *walk) (id.EventID, error) { return w.Say(w.Context(), text) }
}

// made checks that exactly this token was made, and that the answer shows it.
func (w *walk) made(token string, answers []lab.Message) {
	w.Helper()
	w.says(answers[0], "I made the token "+token)
	w.says(answers[1], token)
	want := append(slices.Clone(w.play.before), token)
	slices.Sort(want)
	w.same("tokens", w.tokens(), want)
}

// makeOne makes a token through the bot.
func (w *walk) makeOne(token string) error {
	if _, err := w.Ask(w.Context(), "create token="+token); err != nil {
		return err
	}
	_, err := w.Hear(w.Context())
	return err
}

// threeTokens makes three tokens, the only ones.
func threeTokens(w *walk) error {
	if err := w.DeleteTokens(w.Context()); err != nil {
		return err
	}
	if err := w.makeOne("one"); err != nil { // the others are made elsewhere
		return err
	}
	for _, token := range []string{"two", "three"} {
		if err := w.CreateToken(w.Context(), lab.Token{Text: token}); err != nil {
			return err
		}
	}
	return nil
}

const latecomer = "latecomer"

// askToDeleteAll has the bot ask about three tokens, and makes another one.
func askToDeleteAll(w *walk) (err error) {
	if err := threeTokens(w); err != nil {
		return err
	}
	if w.play.question, err = w.Ask(w.Context(), "delete-all"); err != nil {
		return err
	}
	if _, err := w.Marks(w.Context(), w.play.question.ID, 2); err != nil {
		return err
	}
	return w.CreateToken(w.Context(), lab.Token{Text: latecomer})
}

func onlyTheLatecomer(w *walk, answers []lab.Message) {
	w.says(answers[0], "3 tokens are deleted")
	w.same("tokens", w.tokens(), []string{latecomer})
}
