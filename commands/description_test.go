package commands

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/event/cmdschema"
	"maunium.net/go/mautrix/id"
)

// described are the commands that clients offer to a person.
func (t *town) described(user id.UserID) map[string]*cmdschema.EventContent {
	t.t.Helper()
	list, err := t.bot.Descriptions(t.t.Context(), user)
	if err != nil {
		t.t.Fatal(err)
	}
	byName := make(map[string]*cmdschema.EventContent)
	for _, content := range list {
		byName[content.Command] = content
	}
	return byName
}

func TestClientsLearnWhatAPersonMayUse(t *testing.T) {
	town := newTown(t, newServer())
	for user, want := range map[id.UserID]string{
		nobody:  "help language whoami",
		inviter: "create delete delete-expired help language list notify rotate show update whoami",
		manager: "create delete delete-expired help language list notify rotate show update whoami",
		admin: "allow allowed audit create delete delete-all delete-expired disallow help language list notify rotate show " +
			"update whoami",
	} {
		var names []string
		for name := range town.described(user) {
			names = append(names, name)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s may use %s, want %s", user, got, want)
		}
	}
}

func TestDescriptionsAreComplete(t *testing.T) {
	town := newTown(t, newServer())
	for _, language := range town.bot.Catalog.Names() {
		town.says(admin, "language "+language)
		for name, content := range town.described(admin) {
			if err := content.Validate(); err != nil {
				t.Errorf("%s in %s: %v", name, language, err)
			}
			texts := []string{content.Description.Text[0].Body}
			for _, p := range content.Parameters {
				texts = append(texts, p.Description.Text[0].Body)
			}
			for _, text := range texts {
				if strings.ContainsAny(text, "{}`*") || strings.HasPrefix(text, "described.") {
					t.Errorf("%s in %s is described as %q", name, language, text)
				}
			}
		}
	}
}

func TestDescriptionsSpeakThePersonsLanguage(t *testing.T) {
	town := newTown(t, newServer())
	english := town.described(inviter)["create"]
	town.says(inviter, "language de")
	german := town.described(inviter)["create"]
	if german.Equals(english) || !slices.Contains(german.Aliases, "erstelle") || slices.Contains(english.Aliases, "erstelle") {
		t.Errorf("in English: %v, in German: %v", english.Aliases, german.Aliases)
	}
	if key := english.StateKey(bot); key != german.StateKey(bot) {
		t.Error("the two would stand side by side")
	}
}

// structured is a message in which a client took a command apart.
func (t *town) structured(sender id.UserID, command, arguments string) Message {
	m := t.message(sender, "/"+command)
	m.Structured = &event.MSC4391BotCommandInput{Command: command, Arguments: json.RawMessage(arguments)}
	return m
}

// typed is what a person types into a client that knows the descriptions.
func (t *town) typed(sender id.UserID, text string) Message {
	t.t.Helper()
	for _, description := range t.described(sender) {
		content, err := description.ParseInput(bot, []string{"/"}, text)
		if err != nil {
			t.t.Fatal(err)
		}
		if content != nil {
			m := t.message(sender, content.Body)
			m.Mentioned, m.Structured = true, content.MSC4391BotCommand
			return m
		}
	}
	t.t.Fatalf("no command for %q", text)
	return Message{}
}

// understood is what a message asks for.
func (t *town) understood(m Message) *Request {
	t.t.Helper()
	r := t.bot.request(m)
	if err := t.bot.admit(t.t.Context(), r); err != nil {
		t.t.Fatalf("%q: %v", m.Text, err)
	}
	return r
}

func TestCommandsThatAClientTookApart(t *testing.T) {
	town := newTown(t, newServer())
	for typed, meant := range map[string]string{
		"/create":                        "create",
		"/create --uses=5 --expires=14d": "create uses=5 expires=14d",
		"/new words":                     "create words",
		"/create uses=5":                 "create uses=5",
		`/create --note="a (new) phone"`: `create note="a (new) phone"`,
		"/list --by=@anna:example.org 2": "list by=@anna:example.org 2",
		"/list note chess club":          "list note chess club",
		"/update --uses=2 abcd":          "update abcd uses=2",
		"/show abcd efgh":                "show abcd efgh",
		"/delete expired":                "delete expired",
		"/delete-expired":                "delete-expired",
		"/help create":                   "help create",
		"/whoami":                        "whoami",
	} {
		got, want := town.understood(town.typed(manager, typed)), town.understood(town.message(manager, meant))
		if got.Command != want.Command || !slices.Equal(got.Args, want.Args) || !maps.Equal(got.Options, want.Options) {
			t.Errorf("%s is understood as %s %q %q", typed, got.Command.Name, got.Args, got.Options)
		}
	}
}

// Whatever stands in a value stays there: it becomes no option of its own.
func TestValuesOfAStructuredCommandStayTogether(t *testing.T) {
	town := newTown(t, newServer())
	for _, value := range []string{
		`the "club" uses=7`, "a uses=unlimited", "--uses=7", `"`, "“x„ token=y", "a=b=c", "`uses=7`", "a\nuses=7", "“",
	} {
		arguments, err := json.Marshal(map[string]string{"note": value, "words": ""})
		if err != nil {
			t.Fatal(err)
		}
		r := town.understood(town.structured(manager, "create", string(arguments)))
		if len(r.Options) != 1 || r.Options["note"] != value || len(r.Args) > 0 {
			t.Errorf("%q is understood as %q %q", value, r.Args, r.Options)
		}
	}
	r := town.understood(town.structured(manager, "create", `{"uses": 5, "note": null, "for": "", "words": "words"}`))
	if len(r.Options) != 1 || r.Options["uses"] != "5" || !slices.Equal(r.Args, []string{"words"}) {
		t.Errorf("understood as %q %q", r.Args, r.Options)
	}
}

func TestStructuredCommandsThatCantBeRead(t *testing.T) {
	town := newTown(t, newServer())
	for arguments, answer := range map[string]string{
		`[]`:                       "as text",
		`"uses=5"`:                 "as text",
		`{"uses": {"n": 5}}`:       "as text",
		`{"uses": [5]}`:            "as text",
		`{"uses=5 token": "x"}`:    "as text",
		`{"": "x"}`:                "as text",
		`{"colour": "red"}`:        "no option",
		`{"uses": 5, "Uses": "6"}`: "twice",
		`{"uses": -1}`:             "no number of uses",
		`{"words": "surprise"}`:    "surprise",
		`{"note": "` + strings.Repeat("x", longestCommand) + `"}`: "too long for a command",
	} {
		town.send(town.structured(manager, "create", arguments)).has(answer)
	}
	town.send(town.structured(manager, "craete", `{}`)).has("Did you mean", "create")
	town.send(town.structured(manager, "", `{}`)).has("Yes?")
	town.send(town.structured(inviter, "allowed", `{}`)).has("takes the role admin")
	if made := town.store.rows.Made; len(made) > 0 {
		t.Errorf("these were made: %v", made)
	}
}

func TestAStructuredCommandIsAnsweredOnceAndOnlyIfItIsForTheBot(t *testing.T) {
	town := newTown(t, newServer())
	m := town.structured(manager, "whoami", `{}`)
	m.Text = "help"
	if answer := town.send(m).has("manager").lacks("create"); len(answer.Texts) != 1 {
		t.Errorf("there are %d answers", len(answer.Texts))
	}
	elsewhere := inGroup(town.structured(manager, "whoami", `{}`))
	town.send(elsewhere).isSilence()
	elsewhere = inGroup(town.structured(manager, "whoami", `{}`))
	elsewhere.Text = "!reg help" // a form that is for somebody else makes it no less a text for the bot
	town.send(elsewhere).has("create")
	elsewhere = inGroup(town.structured(manager, "whoami", `{}`))
	elsewhere.Mentioned = true
	town.send(elsewhere).has("manager").lacks("create")
}
