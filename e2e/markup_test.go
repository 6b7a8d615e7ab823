//go:build e2e

package e2e

import (
	"regexp"
	"slices"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/lab"
)

var tag = regexp.MustCompile(`<[^>]*>`)

// plainTags are what the bot itself writes: nothing that leads somewhere, shows a
// picture or mentions anybody.
var plainTags = []string{"<p>", "</p>", "<br>", "<ul>", "</ul>", "<li>", "</li>", "<code>", "</code>", "<strong>", "</strong>"}

// What people write comes back as they wrote it, and as nothing else: no link, no
// picture, no mention, no notification.
func TestAnswersRepeatNoMarkup(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		mia, victim := s.personWith("admin", "mia"), s.person("victim")
		rooms := s.groupOf(mia, victim)
		group, victims := rooms[0].room.(*lab.Chat), rooms[1]
		for _, evil := range []string{
			"@room",
			victim.UserID.String(),
			"https://matrix.to/#/" + victim.UserID.String(),
			"<a/href='https://matrix.to/#/" + victim.UserID.String() + "'>" + victim.UserID.String() + "</a>",
			"<img/src='https://evil.example/x.png'>",
			"</code><font/color='red'>`**[x](https://evil.example)**`",
			"&lt;b&gt;{bot}{prefix}\u202e\u2028",
		} {
			for _, command := range []string{"", "help ", "show ", "create uses=", "create token=", "allowed ", "disallow "} {
				said, err := group.Send(s.Context(), &event.MessageEventContent{
					MsgType: event.MsgText, Body: "!reg " + command + evil, Mentions: &event.Mentions{},
				})
				s.must(err)
				for _, answer := range rooms[0].heardUntilAnswerTo(said) {
					if answer.Mentions == nil || answer.Mentions.Room || len(answer.Mentions.UserIDs) > 0 {
						s.Errorf("%s%s: the answer mentions %v", command, evil, answer.Mentions)
					}
					for _, element := range tag.FindAllString(answer.HTML, -1) {
						if !slices.Contains(plainTags, element) {
							s.Errorf("%s%s: the answer holds %s:\n%s", command, evil, element, answer.HTML)
						}
					}
				}
			}
		}
		highlights := func() int {
			s.Helper()
			victims.heardUntilAnswerTo(rooms[0].say("!reg whoami"))
			return victims.room.(*lab.Chat).Highlights
		}
		if n := highlights(); n != 0 {
			s.Errorf("answers that name somebody have notified them %d times", n)
		}
		_, err := group.Send(s.Context(), &event.MessageEventContent{
			MsgType: event.MsgText, Body: "hello", Mentions: &event.Mentions{UserIDs: []id.UserID{victim.UserID}},
		})
		s.must(err)
		if n := highlights(); n != 1 {
			s.Errorf("a mention by a person has notified somebody %d times", n)
		}
		s.hasTokens()
	})
}
