//go:build e2e

package e2e

import (
	"slices"
	"testing"

	"matrix-registration-bot/e2e/lab"
)

// threeTokens makes tokens without the bot.
func (s *scene) threeTokens() []string {
	s.Helper()
	names := []string{"one", "two", "three"}
	for _, name := range names {
		s.token(lab.Token{Text: name})
	}
	return names
}

// askedDeleteAll is the bot's question, with its two marks under it.
func (c *chat) askedDeleteAll(prefix string) lab.Message {
	c.scene.Helper()
	question := c.ask(prefix + "delete-all")
	marks, err := c.room.Marks(c.scene.Context(), question.ID, 2)
	c.scene.must(err)
	var keys []string
	for _, mark := range marks {
		keys = append(keys, mark.Key)
	}
	if !slices.Equal(keys, []string{"confirm", "cancel"}) {
		c.scene.Fatalf("marks under the question: %q", keys)
	}
	return question
}

func TestDeleteAllConfirmedByReaction(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		s.threeTokens()
		admin := s.adminChat()
		question := admin.askedDeleteAll("")
		s.says(question, "3")
		s.token(lab.Token{Text: "latecomer"}) // was not asked about

		admin.react(question, "confirm")
		s.says(admin.hear(), "3")
		s.hasTokens("latecomer")

		admin.react(question, "confirm ") // once is enough
		admin.silence("")
		s.hasTokens("latecomer")
	})
}

func TestDeleteAllConfirmedByWord(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		s.threeTokens()
		admin := s.adminChat()
		admin.askedDeleteAll("")
		s.says(admin.ask("confirm"), "3")
		s.hasTokens()
		admin.ask("confirm") // nothing is open any more
	})
}

func TestDeleteAllCancelled(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		names := s.threeTokens()
		admin := s.adminChat()
		admin.askedDeleteAll("")
		admin.ask("cancel")
		admin.ask("confirm")
		s.hasTokens(names...)

		question := admin.askedDeleteAll("")
		admin.react(question, "cancel")
		admin.hear()
		admin.react(question, "confirm")
		admin.silence("")
		s.hasTokens(names...)
	})
}

func TestDeleteAllIsNotForOthers(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		names := s.threeTokens()
		mia := s.personWith("manager", "mia")
		s.says(s.chatWith(mia).ask("delete-all"), "admin")

		second := s.personWith("admin", "ada")
		rooms := s.groupOf(s.Admin, second, mia)
		admins, adas, mias := rooms[0], rooms[1], rooms[2]
		question := admins.askedDeleteAll("!reg ")
		for _, other := range []*chat{adas, mias} {
			other.react(question, "confirm")
			other.say("!reg confirm")
			other.heardUntilAnswerTo(other.say("!reg whoami"))
		}
		s.hasTokens(names...)

		admins.react(question, "confirm")
		admins.heardUntilAnswerTo(admins.say("!reg whoami"))
		s.hasTokens()
	})
}

func TestDeleteAllAcrossARestart(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		s.threeTokens()
		admin := s.adminChat()
		question := admin.askedDeleteAll("")
		s.Bot.Kill()
		s.startBot()
		s.token(lab.Token{Text: "latecomer"})

		admin.react(question, "confirm")
		s.says(admin.hear(), "3")
		s.hasTokens("latecomer")
	})
}
