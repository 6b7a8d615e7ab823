//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/e2e/lab"
)

// scene is one test on one site. What goes wrong ends it.
type scene struct {
	*testing.T
	*lab.Site
	name   string
	admin  *chat // see adminChat
	pushes int   // see pushEvent
}

// person is somebody new without any role.
func (s *scene) person(name string) *lab.Person {
	s.Helper()
	person, err := s.NewPerson(s.Context(), name+"."+s.name)
	s.must(err)
	return person
}

// personWith is somebody new to whom the admin gave a role.
func (s *scene) personWith(role, name string) *lab.Person {
	s.Helper()
	person := s.person(name)
	s.allow(person.UserID.String(), role)
	return person
}

// allow has the admin put somebody on the list.
func (s *scene) allow(pattern, role string) {
	s.Helper()
	s.says(s.adminChat().ask("allow "+pattern+" "+role), pattern, role)
}

// adminChat is the admin's direct chat with the bot, the same one throughout a scene.
func (s *scene) adminChat() *chat {
	s.Helper()
	if s.admin == nil {
		s.admin = s.chatWith(s.Admin)
	}
	return s.admin
}

// chatWith opens a direct chat between a person and the bot; its greeting has
// been heard.
func (s *scene) chatWith(person *lab.Person) *chat {
	s.Helper()
	dm, err := person.DM(s.Context(), s.Bot.UserID)
	s.must(err)
	c := &chat{s, dm}
	c.hear()
	return c
}

// groupOf opens a room with the bot and several people: each one's view of it,
// in the order of their names. Greetings have been heard.
func (s *scene) groupOf(host *lab.Person, guests ...*lab.Person) []*chat {
	s.Helper()
	opened, err := host.Group(s.Context(), s.Bot.UserID, guests...)
	s.must(err)
	chats := []*chat{{s, opened}}
	chats[0].hear()
	for _, guest := range guests {
		joined, err := guest.Join(s.Context(), opened)
		s.must(err)
		guests := &chat{s, joined}
		guests.hear()
		chats = append(chats, guests)
	}
	return chats
}

// startBot starts the bot again, as do all who stopped it.
func (s *scene) startBot() {
	s.Helper()
	s.must(s.Bot.Start(s.Context()))
	s.must(s.Settled(s.Context()))
}

// tokens are those that Synapse has now.
func (s *scene) tokens() map[string]lab.Token {
	s.Helper()
	tokens, err := s.Tokens(s.Context())
	s.must(err)
	return tokens
}

// hasTokens checks that Synapse has exactly these tokens.
func (s *scene) hasTokens(want ...string) {
	s.Helper()
	var got []string
	for text := range s.tokens() {
		got = append(got, text)
	}
	slices.Sort(got)
	want = slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		s.Fatalf("Synapse has the tokens %q, want %q", got, want)
	}
}

// token makes a token without the bot.
func (s *scene) token(token lab.Token) {
	s.Helper()
	s.must(s.CreateToken(s.Context(), token))
}

// says checks that a message holds all of these words, in any letter case.
func (s *scene) says(message lab.Message, words ...string) {
	s.Helper()
	for _, word := range words {
		if !strings.Contains(strings.ToLower(message.Body), strings.ToLower(word)) {
			s.Fatalf("the bot should have said %q, but said:\n%s", word, message.Body)
		}
	}
}

// saysNot checks that a message holds none of these words.
func (s *scene) saysNot(message lab.Message, words ...string) {
	s.Helper()
	for _, word := range words {
		if strings.Contains(strings.ToLower(message.Body), strings.ToLower(word)) {
			s.Fatalf("the bot should not have said %q, but said:\n%s", word, message.Body)
		}
	}
}

func (s *scene) must(err error) {
	s.Helper()
	must(s.T, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// chat is a room as one person sees it.
type chat struct {
	scene *scene
	room  room
}

// room is what the person's client can do there: a *lab.Chat, or another kind of client.
type room interface {
	Say(ctx context.Context, text string) (id.EventID, error)
	Notice(ctx context.Context, text string) (id.EventID, error)
	Mention(ctx context.Context, text string) (id.EventID, error)
	Edit(ctx context.Context, message id.EventID, text string) (id.EventID, error)
	React(ctx context.Context, message id.EventID, key string) error

	Ask(ctx context.Context, text string) (lab.Message, error)
	Hear(ctx context.Context) (lab.Message, error)
	Marks(ctx context.Context, message id.EventID, n int) ([]lab.Reaction, error)
	Until(ctx context.Context, user id.UserID, membership event.Membership) (reason string, err error)

	Invite(ctx context.Context, user id.UserID) error
}

// say says something without waiting for an answer.
func (c *chat) say(text string) id.EventID {
	c.scene.Helper()
	sent, err := c.room.Say(c.scene.Context(), text)
	c.scene.must(err)
	return sent
}

// hear is the bot's next message.
func (c *chat) hear() lab.Message {
	c.scene.Helper()
	message, err := c.room.Hear(c.scene.Context())
	c.scene.must(err)
	return message
}

// ask says something and hears the answer, which must be the bot's next message.
func (c *chat) ask(text string) lab.Message {
	c.scene.Helper()
	answer, err := c.room.Ask(c.scene.Context(), text)
	c.scene.must(err)
	return answer
}

// allowed is all that `allowed` says, page by page.
func (c *chat) allowed() lab.Message {
	c.scene.Helper()
	all := c.ask("allowed")
	for page := 2; strings.Contains(all.Body, fmt.Sprintf("allowed %d shows the next", page)); page++ {
		all.Body += "\n" + c.ask(fmt.Sprintf("allowed %d", page)).Body
	}
	return all
}

// create asks for a token and returns it; both messages of the answer are heard.
func (c *chat) create() (token string) {
	c.scene.Helper()
	facts := c.ask("create")
	forward := c.hear()
	codes := facts.Codes()
	if len(codes) == 0 {
		c.scene.Fatalf("the answer to create shows no code:\n%s", facts.Body)
	}
	c.scene.says(forward, codes[0])
	return codes[0]
}

// heardUntilAnswerTo returns all that the bot says up to its answer to a message,
// that answer included. Because the bot answers in order, it has then answered
// all that was said before.
func (c *chat) heardUntilAnswerTo(said id.EventID) []lab.Message {
	c.scene.Helper()
	var heard []lab.Message
	for {
		heard = append(heard, c.hear())
		if heard[len(heard)-1].InReplyTo == said {
			return heard
		}
	}
}

// answersTo hears the answers to several commands, and checks that each is answered
// exactly once and in this order. It returns the first message of each answer.
func (c *chat) answersTo(commands []id.EventID) []lab.Message {
	c.scene.Helper()
	heard := c.heardUntilAnswerTo(commands[len(commands)-1])
	heard = append(heard, c.heardUntilAnswerTo(c.say("whoami"))...)
	return c.scene.answersOnce(commands, heard[:len(heard)-1])
}

// silence checks that the bot has nothing more to say about what was said so
// far: the next that it says is the answer to something new.
func (c *chat) silence(prefix string) {
	c.scene.Helper()
	c.ask(prefix + "whoami")
}

// member waits until the bot's membership of the room is this one.
func (c *chat) member(membership event.Membership) (reason string) {
	c.scene.Helper()
	reason, err := c.room.Until(c.scene.Context(), c.scene.Bot.UserID, membership)
	c.scene.must(err)
	return reason
}

// react puts a mark under a message.
func (c *chat) react(message lab.Message, key string) {
	c.scene.Helper()
	c.scene.must(c.room.React(c.scene.Context(), message.ID, key))
}

// answersOnce checks that the messages answer each of the commands exactly once
// and in this order, and returns the answers (a command's first message each).
func (s *scene) answersOnce(commands []id.EventID, heard []lab.Message) []lab.Message {
	s.Helper()
	var answers []lab.Message
	for _, message := range heard {
		if message.InReplyTo == "" { // the second message of create, to be forwarded
			continue
		}
		answers = append(answers, message)
	}
	if len(answers) != len(commands) {
		s.Fatalf("%d commands got %d answers", len(commands), len(answers))
	}
	for i, command := range commands {
		if answers[i].InReplyTo != command {
			s.Fatalf("answer %d is not to command %d but to %s: %s", i, i, answers[i].InReplyTo, answers[i].Body)
		}
	}
	return answers
}

// distinctTokens checks that each answer to a create shows a token of its own that
// Synapse has.
func (s *scene) distinctTokens(answers []lab.Message) {
	s.Helper()
	have, seen := s.tokens(), map[string]bool{}
	for _, answer := range answers {
		codes := answer.Codes()
		if len(codes) == 0 {
			s.Fatalf("an answer to create shows no code:\n%s", answer.Body)
		}
		if _, ok := have[codes[0]]; !ok || seen[codes[0]] {
			s.Fatalf("the token %s was shown before, or Synapse does not have it", codes[0])
		}
		seen[codes[0]] = true
	}
}

func uses(n int) *int { return &n }

func numbered(format string, n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf(format, i))
	}
	return names
}
