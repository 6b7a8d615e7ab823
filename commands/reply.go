package commands

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"matrix-registration-bot/locale"
)

// say is a reply of one message.
func say(text locale.Text) Reply { return Reply{Texts: []Text{{Text: text}}} }

// longestMessage is the size of a message's texts as JSON, in bytes. The
// homeserver takes 64 KiB, and encryption adds a third.
const longestMessage = 28 << 10

// weigh returns the size of a text as JSON, which makes six bytes of some.
func weigh(text locale.Text) int {
	encoded, _ := json.Marshal(text) // two strings: can't fail
	return len(encoded)
}

// pack joins blocks into as few messages as will hold them.
func pack(join func(...locale.Text) locale.Text, blocks []locale.Text) Reply {
	var reply Reply
	var page []locale.Text
	size := 0
	for _, block := range blocks {
		n := weigh(block)
		if size += n; size > longestMessage && page != nil {
			reply.Texts = append(reply.Texts, Text{Text: join(page...)})
			page, size = nil, n
		}
		page = append(page, block)
	}
	reply.Texts = append(reply.Texts, Text{Text: join(page...)})
	return reply
}

// listing is a bullet list between its head and what follows, in as few
// messages as will hold it.
func listing(head locale.Text, items []locale.Text, foot ...locale.Text) Reply {
	reply := pack(locale.List, items)
	first, last := &reply.Texts[0], &reply.Texts[len(reply.Texts)-1]
	first.Text = locale.Lines(head, first.Text)
	last.Text = locale.Lines(append([]locale.Text{last.Text}, foot...)...)
	return reply
}

// excerpt is as much of what a person wrote as an answer repeats.
func excerpt(word string) string {
	return cut(strings.ToValidUTF8(word, "�"), 80)
}

// cut is the beginning of a text that may be too long, in characters.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}

// masked is as much of a token as the audit keeps.
func masked(token string) string {
	const most = 4
	return string([]rune(strings.ToValidUTF8(token, "�"))[:min(most, utf8.RuneCountInString(token))]) + "…"
}

const linesPerPage = 20

// page cuts a page out of a list; pages count from 1, and the first of an
// empty list is empty. It returns nil for a page that does not exist.
func page[T any](items []T, number int) (part []T, pages int) {
	pages = max(1, (len(items)+linesPerPage-1)/linesPerPage)
	if number > pages {
		return nil, pages
	}
	from := (number - 1) * linesPerPage
	return append([]T{}, items[from:min(from+linesPerPage, len(items))]...), pages
}

// morePages says how to see the next page of what a command lists.
func (r *Request) morePages(number, pages int, command string) locale.Text {
	next := fmt.Sprintf("%s %d", command, number+1)
	return r.text("page.more", locale.Args{"page": number, "pages": pages, "next": next})
}
