package chat

import (
	"html"
	"net/url"
	"regexp"
	"strings"
)

// pill is a mention of a user as clients write it into formatted_body
// (client-server API, "user and room mentions").
var pill = regexp.MustCompile(`<a href="https://matrix\.to/#/(@[^"?/]+)[^"]*"[^>]*>([^<]+)</a>`)

// namePeople writes user ids where a client has put only display names into
// the plain text of its mentions: `allow Anna` means the person behind the link.
func namePeople(body, formatted string) string {
	from := 0
	for _, match := range pill.FindAllStringSubmatch(formatted, -1) {
		user, err := url.PathUnescape(html.UnescapeString(match[1]))
		if err != nil {
			continue
		}
		name := html.UnescapeString(match[2])
		at := strings.Index(body[from:], name)
		if at < 0 || strings.HasPrefix(body[from+at:], user) {
			continue
		}
		at += from
		body = body[:at] + user + body[at+len(name):]
		from = at + len(user)
	}
	return body
}
