package commands

import (
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// usesLeft says how often a token can still be used.
func (r *Request) usesLeft(token tokens.Token) locale.Text {
	left, limited := token.Left()
	text := r.text("uses.endless", nil)
	if limited {
		text = r.text("uses.left", locale.Args{"n": left})
	}
	if token.Pending > 0 {
		text = locale.Join(", ", text, r.text("uses.pending", locale.Args{"n": token.Pending}))
	}
	return text
}

// usesAllowed says for how many registrations a token was made.
func (r *Request) usesAllowed(uses *int) locale.Text {
	if uses == nil {
		return r.text("uses.unlimited", nil)
	}
	return r.text("uses.allowed", locale.Args{"n": *uses})
}

// remarks is what the maker of a token wrote down about it.
func (r *Request) remarks(maker Maker) (lines []locale.Text) {
	if maker.Recipient != "" {
		lines = append(lines, r.text("made.for", locale.Args{"recipient": maker.Recipient}))
	}
	if maker.Note != "" {
		lines = append(lines, r.text("made.note", locale.Args{"note": maker.Note}))
	}
	return lines
}

// expiry says when a token ends or has ended.
func (r *Request) expiry(token tokens.Token) locale.Text {
	if token.Expires == nil {
		return r.text("expires.never", nil)
	}
	key := "expires.at"
	if token.State(r.Now) == tokens.Expired {
		key = "expires.past"
	}
	return r.text(key, locale.Args{"when": r.language.When(token.Expires.In(r.Now.Location()), r.Now)})
}

// madeBy says who made a token. Those that nobody made through the bot have no
// maker.
func (r *Request) madeBy(maker id.UserID) locale.Text {
	switch maker {
	case "":
		return r.text("made.elsewhere", nil)
	case r.Sender:
		return r.text("made.by_you", nil)
	}
	return r.text("made.by", locale.Args{"user": maker})
}
