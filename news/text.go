package news

import (
	"encoding/json"
	"time"

	"matrix-registration-bot/locale"
)

const (
	mostItems = 20       // told in one message
	mostText  = 20 << 10 // bytes of that as JSON; the homeserver takes 64 KiB, and encryption adds a third
	mostNames = 10       // of those who registered with one token
)

// fit says how many of the news, from the first on, one message takes; at least
// one.
func (l listener) fit(news []Item, codes bool, now time.Time) int {
	size := 0
	for i, item := range news {
		encoded, _ := json.Marshal(l.describe(item, codes, now)) // two strings: can't fail
		size += len(encoded)
		if i == mostItems || i > 0 && size > mostText {
			return i
		}
	}
	return len(news)
}

// write puts news into one message. Without codes it names no token, because
// others read along.
func (l listener) write(news []Item, codes bool, now time.Time) locale.Text {
	var parts []locale.Text
	if l.user != "" && !codes {
		parts = append(parts, l.text("news.to", locale.Args{"user": l.user}))
	}
	for _, item := range news {
		parts = append(parts, l.describe(item, codes, now))
	}
	if l.user != "" && !codes {
		parts = append(parts, l.text("news.privately", nil))
	}
	return locale.Paragraphs(parts...)
}

// describe is one piece of news: what happened, then what is known of it.
func (l listener) describe(item Item, codes bool, now time.Time) locale.Text {
	var facts []locale.Text
	switch {
	case item.Token == "":
		facts = append(facts, l.text("news.gone", nil))
	case codes:
		facts = append(facts, locale.Code(item.Token))
	}
	if item.Kind == Used {
		facts = append(facts, l.who(item))
	}
	switch {
	case item.Kind == Expired && item.Expires != nil:
		facts = append(facts, l.text("expires.past", locale.Args{"when": l.language.When(item.Expires.In(now.Location()), now)}))
	case item.Left == nil:
		facts = append(facts, l.text("uses.endless", nil))
	default:
		facts = append(facts, l.text("uses.left", locale.Args{"n": *item.Left}))
	}
	if item.Maker.Recipient != "" {
		facts = append(facts, l.text("made.for", locale.Args{"recipient": item.Maker.Recipient}))
	}
	if item.Maker.Note != "" {
		facts = append(facts, l.text("made.note", locale.Args{"note": item.Maker.Note}))
	}
	switch {
	case l.user != "":
	case item.Maker.User == "":
		facts = append(facts, l.text("made.elsewhere", nil))
	default:
		facts = append(facts, l.text("made.by", locale.Args{"user": item.Maker.User}))
	}
	return locale.Lines(l.head(item), locale.List(facts...))
}

func (l listener) head(item Item) locale.Text {
	if l.user == "" {
		return l.text("news.any_"+string(item.Kind), locale.Args{"n": item.Times})
	}
	return l.text("news."+string(item.Kind), locale.Args{"n": item.Times})
}

// who says who registered, and how far that is known.
func (l listener) who(item Item) locale.Text {
	if len(item.Users) == 0 {
		return l.text("news.unknown", nil)
	}
	var names []locale.Text
	for _, user := range item.Users[:min(mostNames, len(item.Users))] {
		names = append(names, locale.Code(user.String()))
	}
	if more := len(item.Users) - len(names); more > 0 {
		names = append(names, l.text("show.users_more", locale.Args{"n": more}))
	}
	users := locale.Args{"users": locale.Join(", ", names...)}
	switch {
	case len(item.Users) > item.Times:
		return l.text("news.among", users)
	case len(item.Users) < item.Times:
		return l.text("news.partly", users)
	}
	return l.text("news.probably", users)
}

func (l listener) text(key string, args locale.Args) locale.Text { return l.language.Text(key, args) }
