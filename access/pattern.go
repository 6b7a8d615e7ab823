package access

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
	"unicode/utf8"

	"maunium.net/go/mautrix/id"
)

// Kind is what a pattern describes.
type Kind int

// The kinds of patterns, the least specific first.
const (
	Everyone   Kind = iota // *
	OneServer              // friends.org
	Glob                   // @*:friends.org
	Expression             // /@(anna|bob):friends\.org/
	OneUser                // @anna:friends.org
)

// Lengths in bytes.
const (
	longestPattern    = id.UserIDMaxLength
	longestExpression = 250
)

// Why a text is no pattern, as sentinels for errors.Is.
var (
	ErrEmpty     = errors.New("the pattern is empty")
	ErrTooLong   = errors.New("the pattern is too long")
	ErrCharacter = errors.New("the pattern has white space or invisible characters")
	// ErrNoServer: a user id or glob without a colon and a server name.
	ErrNoServer = errors.New("a user id ends with a colon and the server name")
	// ErrServerName: what should be a server name isn't one; so isn't anything
	// that begins with neither @ nor /.
	ErrServerName = errors.New("not a server name")
	// ErrStar: a * that stands in no user id and not alone.
	ErrStar = errors.New("a * stands alone or in a user id")
	// ErrNoSlash: a regular expression that doesn't end with a slash.
	ErrNoSlash = errors.New("a regular expression stands between slashes")
	// ErrExpression: a regular expression that RE2 can't read.
	ErrExpression = errors.New("not a regular expression")
	// ErrMatchesEmpty: a regular expression that matches the empty text, and
	// so has a part that means nothing or everything.
	ErrMatchesEmpty = errors.New("the regular expression matches the empty text")
)

// Pattern describes one or more people.
type Pattern struct {
	text   string
	kind   Kind
	server string         // OneServer, OneUser, Glob: the server part as written
	regexp *regexp.Regexp // Glob, Expression
}

// Parse reads a pattern: a user id, a user id with * in it (a glob), a server
// name, * alone, or a regular expression (RE2) between slashes. The error
// matches one of the package's sentinels. The text is taken as it is, except
// that a * in it always makes a glob: the few historical user ids that hold a
// * can't be told apart from one.
func Parse(text string) (Pattern, error) {
	switch {
	case text == "":
		return Pattern{}, ErrEmpty
	case len(text) > longestPattern:
		return Pattern{}, ErrTooLong
	case !utf8.ValidString(text), strings.ContainsFunc(text, unseen):
		return Pattern{}, ErrCharacter
	case text == "*":
		return Pattern{text: text, kind: Everyone}, nil
	case text[0] == '/':
		return parseExpression(text)
	case text[0] == '@':
		return parseUser(text)
	case strings.Contains(text, "*"):
		return Pattern{}, ErrStar
	case !id.ValidateServerName(text):
		return Pattern{}, ErrServerName
	default:
		return Pattern{text: text, kind: OneServer, server: text}, nil
	}
}

// unseen tells of characters that would be in a pattern without anybody seeing
// them, the white space included.
func unseen(r rune) bool { return r == ' ' || !unicode.IsPrint(r) }

func parseExpression(text string) (Pattern, error) {
	expression, closed := strings.CutSuffix(text[1:], "/")
	switch {
	case !closed:
		return Pattern{}, ErrNoSlash
	case expression == "":
		return Pattern{}, ErrEmpty
	case len(expression) > longestExpression:
		return Pattern{}, ErrTooLong
	}
	compiled, err := regexp.Compile(expression)
	if err != nil {
		return Pattern{}, fmt.Errorf("%w: %w", ErrExpression, err)
	}
	if compiled.MatchString("") {
		return Pattern{}, ErrMatchesEmpty
	}
	// See Matches.
	compiled.Longest()
	return Pattern{text: text, kind: Expression, regexp: compiled}, nil
}

func parseUser(text string) (Pattern, error) {
	_, server, ok := splitUserID(text)
	if !ok || server == "" {
		return Pattern{}, ErrNoServer
	}
	// A * can stand for any part of a server name; a digit is fine in each.
	if !id.ValidateServerName(strings.ReplaceAll(server, "*", "1")) {
		return Pattern{}, ErrServerName
	}
	if !strings.Contains(text, "*") {
		return Pattern{text: text, kind: OneUser, server: server}, nil
	}
	compiled, err := regexp.Compile(globExpression(text))
	if err != nil {
		return Pattern{}, fmt.Errorf("%w: %w", ErrExpression, err)
	}
	return Pattern{text: text, kind: Glob, server: server, regexp: compiled}, nil
}

// globExpression is the regular expression of a glob: a * is anything but a
// colon, so that it can't reach from the name into the server.
func globExpression(glob string) string {
	parts := strings.Split(glob, "*")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	return `\A` + strings.Join(parts, `[^:]*`) + `\z`
}

// splitUserID takes a user id apart at its first colon, as the name can't
// have one. Names are not checked further: historical ones hold all sorts of
// characters (Matrix specification, appendix "User identifiers").
func splitUserID(user string) (name, server string, ok bool) {
	rest, isUser := strings.CutPrefix(user, "@")
	name, server, found := strings.Cut(rest, ":")
	return name, server, isUser && found
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// Kind returns what the pattern describes.
func (p Pattern) Kind() Kind { return p.kind }

// Server returns the only server whose people the pattern matches; it is empty
// if there can be several.
func (p Pattern) Server() string {
	if strings.Contains(p.server, "*") {
		return ""
	}
	return p.server
}

// Matches tells whether the pattern describes this user. User ids are
// compared byte by byte. What is not shaped like a user id never matches.
func (p Pattern) Matches(user id.UserID) bool {
	text := string(user)
	_, server, ok := splitUserID(text)
	if !ok || !id.ValidateServerName(server) || !utf8.ValidString(text) {
		return false
	}
	switch p.kind {
	case Everyone:
		return true
	case OneServer:
		return server == p.server
	case Glob:
		return p.regexp.MatchString(text)
	case Expression:
		// The longest of the leftmost matches is the whole text exactly if
		// the expression can match it all. Wrapping the expression in anchors
		// instead would let it break out of them, as with \Q.
		found := p.regexp.FindStringIndex(text)
		return found != nil && found[0] == 0 && found[1] == len(text)
	case OneUser:
		return text == p.text
	default:
		return false
	}
}

// AdmitsOthers tells whether the pattern can match people of other servers
// than the given one. Of a regular expression it says no only if that
// certainly ends with a colon and the server name, dots escaped.
func (p Pattern) AdmitsOthers(domain string) bool {
	if p.kind != Expression {
		return p.Server() != domain
	}
	parsed, err := syntax.Parse(p.regexp.String(), syntax.Perl)
	return err != nil || !endsWith(parsed, ":"+domain)
}

// endsWith tells whether everything that the expression matches certainly ends
// with the text.
func endsWith(expression *syntax.Regexp, text string) bool {
	switch expression.Op {
	case syntax.OpLiteral:
		return expression.Flags&syntax.FoldCase == 0 && strings.HasSuffix(string(expression.Rune), text)
	case syntax.OpCapture:
		return endsWith(expression.Sub[0], text)
	case syntax.OpConcat:
		parts := expression.Sub
		if last := parts[len(parts)-1]; last.Op == syntax.OpEndText {
			parts = parts[:len(parts)-1]
		}
		return len(parts) > 0 && endsWith(parts[len(parts)-1], text)
	case syntax.OpAlternate:
		for _, branch := range expression.Sub {
			if !endsWith(branch, text) {
				return false
			}
		}
		return true
	default:
		return false
	}
}
