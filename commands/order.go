package commands

import (
	"cmp"
	"time"

	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// mostAtOnce is how many tokens one command makes.
const mostAtOnce = 50

// order is what create is asked for.
type order struct {
	spec      tokens.Spec   // without a text each token gets one that is drawn
	draw      func() string // draws a text
	count     int           // how many such tokens
	recipient string
	note      string
}

// readOrder reads the options of create, and checks them against the person's
// limits. What they don't say comes from the config, or from the limits where
// those are narrower.
func (r *Request) readOrder() (order, error) {
	o := order{spec: r.bareSpec(), count: 1}
	err := cmp.Or(
		r.readText(&o),
		read(r, "uses", &o.spec.Uses, r.readUses),
		read(r, "expires", &o.spec.Expires, r.readExpiry),
		read(r, "count", &o.count, r.number("count", 1, mostAtOnce)),
		read(r, "for", &o.recipient, r.remark("for", longestRecipient)),
		read(r, "note", &o.note, r.remark("note", longestNote)),
	)
	if err == nil && o.count > 1 && o.spec.Text != "" {
		err = r.mistake("create.not_together", locale.Args{"one": "token", "other": "count"})
	}
	if err == nil {
		err = r.checkUses(o.spec.Uses)
	}
	if err == nil {
		err = r.checkExpiry(o.spec.Expires)
	}
	return o, err
}

// bareSpec is what create makes without options.
func (r *Request) bareSpec() tokens.Spec {
	uses := r.Settings.Create.Uses
	if limit := r.limits().Uses; limit > 0 {
		uses = min(uses, limit)
	}
	lasts := r.Settings.Create.Expires
	if limit := r.limits().Expires; limit > 0 {
		lasts = min(lasts, limit)
	}
	ends := r.Now.Add(lasts).Truncate(time.Millisecond)
	return tokens.Spec{Uses: &uses, Expires: &ends}
}

// easy is the word that asks for a text of easy words, alone or as a token.
const easy = "words"

// readText reads what the tokens shall be called, or how their texts are drawn.
func (r *Request) readText(o *order) error {
	inWords := false
	for _, word := range r.Args {
		if r.meaning(word) != easy {
			return r.mistake("create.surplus", locale.Args{"word": excerpt(word)})
		}
		inWords = true
	}
	text, named := r.Options["token"]
	if r.meaning(text) == easy {
		inWords, named = true, false
	}
	_, measured := r.Options["length"]
	switch {
	case inWords && named:
		return r.mistake("create.not_together", locale.Args{"one": easy, "other": "token"})
	case inWords && measured:
		return r.mistake("create.not_together", locale.Args{"one": easy, "other": "length"})
	case named && measured:
		return r.mistake("create.not_together", locale.Args{"one": "token", "other": "length"})
	case named && tokens.Validate(text) != nil:
		return r.mistake("token.bad_text", locale.Args{"token": excerpt(text)})
	case named:
		o.spec.Text = text
		return nil
	case inWords:
		o.draw = tokens.DrawWords
		return nil
	}
	length := r.Settings.Create.Length
	o.draw = func() string { return tokens.Draw(length) }
	return read(r, "length", &length, r.number("length", tokens.MinDrawnLength, tokens.MaxLength))
}
