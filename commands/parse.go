package commands

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"maunium.net/go/mautrix/id"
)

// address is how the bot is spoken to.
type address struct {
	bot         id.UserID
	displayName string
	prefix      string
}

// strip takes mention and prefix off the start of a text, and tells whether
// the text was meant for the bot.
func (a address) strip(m Message) (rest string, addressed bool) {
	rest, addressed = trim(m.Text), m.Direct || m.Mentioned
	if after, ok := a.cutMention(rest, m.Mentioned); ok {
		rest, addressed = trim(after), true
	}
	if after, ok := cutWord(rest, a.prefix); ok {
		rest, addressed = trim(strings.TrimLeft(after, ":,")), true
	}
	return rest, addressed
}

// cutMention knows the forms that a mention has in plain text: the user id,
// the same as a Markdown link, or the display name. The name counts if a colon
// or comma follows it, or if the client says that the bot is meant.
func (a address) cutMention(text string, meant bool) (string, bool) {
	if link := mentionLink.FindStringSubmatch(text); link != nil && link[1] == string(a.bot) {
		return cutColon(text[len(link[0]):])
	}
	if after, ok := cutWord(text, string(a.bot)); ok {
		return cutColon(after)
	}
	after, ok := cutWord(text, a.displayName)
	if !ok || !meant && !strings.HasPrefix(after, ":") && !strings.HasPrefix(after, ",") {
		return text, false
	}
	return cutColon(after)
}

// cutColon takes off what people write between a name and what they have to
// say: a colon or comma, then white space.
func cutColon(after string) (string, bool) {
	after = strings.TrimLeft(after, ":,")
	rest := trim(after)
	return rest, rest == "" || rest != after
}

var mentionLink = regexp.MustCompile(`^\[[^\]]*\]\(https://matrix\.to/#/([^)]*)\)`)

// cutWord is strings.CutPrefix in any letter case and for whole words: if the
// word ends in a letter or digit, none may follow it.
func cutWord(text, word string) (after string, ok bool) {
	if word == "" || len(text) < len(word) || !strings.EqualFold(text[:len(word)], word) {
		return text, false
	}
	after = text[len(word):]
	last, _ := utf8.DecodeLastRuneInString(word)
	next, _ := utf8.DecodeRuneInString(after)
	if after != "" && isWordRune(last) && isWordRune(next) {
		return text, false
	}
	return after, true
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// trim removes what surrounds a command that was pasted from somewhere.
func trim(text string) string {
	return strings.TrimFunc(text, func(r rune) bool { return isSpace(r) || r == '\ufeff' })
}

// isSpace counts backticks as white space, because people mark commands as
// code, and NUL, which PostgreSQL can't keep.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r == '`' || r == 0 }

// isQuote knows the quotation marks that phones make of straight ones.
func isQuote(r rune) bool { return strings.ContainsRune(`"“”„‟«»`, r) }

// split takes a command apart at white space. Quotation marks hold words
// together; one that is never closed is an ordinary character. Commas at the end of
// a word belong to the sentence, not to the word.
func split(text string) []string {
	var words []string
	var word strings.Builder
	quoted, inWord := 0, false // the bytes of the word up to its last quotation mark
	flush := func() {
		text := word.String()
		text = text[:quoted] + strings.TrimRight(text[quoted:], ",")
		if inWord {
			words = append(words, text)
		}
		word.Reset()
		quoted, inWord = 0, false
	}
	for text != "" {
		r, size := utf8.DecodeRuneInString(text)
		text = text[size:]
		switch {
		case isSpace(r):
			flush()
			continue
		case isQuote(r):
			if end := strings.IndexFunc(text, isQuote); end >= 0 {
				word.WriteString(strings.ReplaceAll(text[:end], "\x00", ""))
				_, size := utf8.DecodeRuneInString(text[end:])
				text = text[end+size:]
				quoted, inWord = word.Len(), true
				continue
			}
		}
		word.WriteRune(r)
		inWord = inWord || r != ','
	}
	flush()
	return words
}

// option takes the forms `key=value`, `--key=value` and `--key` apart; phones
// turn two hyphens into a dash. needsValue is true for the last one, whose
// value is the next word.
func option(word string) (key, value string, needsValue, ok bool) {
	bare := strings.TrimLeft(word, "-–—")
	dashed := bare != word
	key, value, found := strings.Cut(bare, "=")
	if !isOptionKey(key) || !dashed && !found {
		return "", "", false, false
	}
	return strings.ToLower(key), value, !found, true
}

func isOptionKey(key string) bool {
	return key != "" && !strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsLetter(r) })
}

// nearest returns the word that a mistyped one was most likely meant to be, or
// "" if none is close: one mistake in a short word, two in others.
func nearest(word string, words []string) string {
	const short = 4 // letters
	best, closest := "", 3
	for _, w := range words {
		d := distance(word, w)
		if letters := utf8.RuneCountInString(w); d < closest && (d == 1 && letters > 1 || letters > short) {
			best, closest = w, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete, replace or swap with
// their neighbour to make b of a (optimal string alignment).
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range t {
		rows[0][j+1] = j + 1
	}
	for i := range s {
		for j := range t {
			change := 1
			if s[i] == t[j] {
				change = 0
			}
			d := min(rows[i][j+1]+1, rows[i+1][j]+1, rows[i][j]+change)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				d = min(d, rows[i-1][j-1]+1)
			}
			rows[i+1][j+1] = d
		}
	}
	return rows[len(s)][len(t)]
}
