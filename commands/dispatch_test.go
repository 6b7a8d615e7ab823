package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/tokens"
)

func TestTwoCommandsOfOneNamePanicAtStart(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two commands are called x")
		}
	}()
	newTable([]*Command{{Name: "y", Aliases: []string{"x"}}, {Name: "x"}}, nil)
}

func TestCommandsHaveShortNames(t *testing.T) {
	for name := range newTable(all(), nil).byName {
		if len(name) > longestName || name != strings.ToLower(name) {
			t.Errorf("%q can't be found", name)
		}
	}
}

// People end sentences, and know other bots.
func TestMarksAroundACommandDoNotCount(t *testing.T) {
	town := newTown(t, newServer())
	for _, text := range []string{"create!", "Create.", "create…", "/create", "!create", "**create**", "'create'", "erstelle!", "create,"} {
		town.says(manager, text).code()
	}
	town.says(manager, "--help").has("What you can write")
	town.says(manager, "help create?").has("Makes a registration token")
	for _, text := range []string{"...", "!", "???", "-"} {
		town.says(manager, text).has("I don't know " + text)
	}
}

func TestAPanicEndsNeitherTheProgramNorTheRoom(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	server.at = func(string, bool) error { panic("something is broken") }
	for _, command := range []string{"list", "create"} {
		if _, err := town.bot.Handle(t.Context(), town.message(manager, command)); err == nil || !strings.Contains(err.Error(), "panicked") {
			t.Errorf("the error is %v", err)
		}
	}
	if !strings.Contains(town.log.String(), "commands.listTokens") {
		t.Errorf("the log lacks the stack: %s", town.log.String())
	}
	server.at = func(string, bool) error { return nil }
	town.says(manager, "create").code() // nothing is held any more
}

func TestTheLogHoldsOneLineACommandAndNoArguments(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	words := []string{"secret-token", "@secret:example.org", "secretcommand"}
	for _, command := range []string{"create token=secret-token", "create token=secret-token", "show secret-token", "delete secret-token", "allow @secret:example.org", "secretcommand secret-token"} {
		before := bytes.Count(town.log.Bytes(), []byte("Answered a command"))
		town.says(admin, command)
		if after := bytes.Count(town.log.Bytes(), []byte("Answered a command")); after != before+1 {
			t.Errorf("%s has %d lines in the log", command, after-before)
		}
	}
	server.at = func(string, bool) error { return kind(tokens.ErrRefused) }
	town.says(admin, "create token=secret-token")
	for _, word := range words {
		if strings.Contains(town.log.String(), word) {
			t.Errorf("the log holds %q:\n%s", word, town.log.String())
		}
	}
}

func TestALineOfTheLogSaysWhoWhatHowLongAndTheResult(t *testing.T) {
	town := newTown(t, newServer())
	for command, want := range map[string][2]string{
		"create note=secret":  {"create", "done"},
		"list":                {"list", "answered"},
		"show secret":         {"show", "answered"},
		"allow @secret:x":     {"allow", "refused"},
		"frobnicate secretly": {"unknown", "not understood"},
	} {
		town.log.Reset()
		town.says(inviter, command)
		var line map[string]any
		for text := range strings.Lines(town.log.String()) {
			if strings.Contains(text, "Answered a command") {
				if err := json.Unmarshal([]byte(text), &line); err != nil {
					t.Fatal(err)
				}
			}
		}
		if line["sender"] != inviter.String() || line["command"] != want[0] || line["result"] != want[1] {
			t.Errorf("%s: who, what or the result is wrong: %v", command, line)
		}
		if took, ok := line["took_ms"].(float64); !ok || took < 0 {
			t.Errorf("%s: how long it took is %v", command, line["took_ms"])
		}
		if got, want := slices.Sorted(maps.Keys(line)), "command event level message result sender took_ms"; strings.Join(got, " ") != want {
			t.Errorf("%s: the line holds %q", command, got)
		}
	}
}

func TestACommandIsLoggedOnceHoweverOftenItsCommitFails(t *testing.T) {
	town := newTown(t, newServer())
	observed := ""
	town.bot.Observe = func(command, result string, _ time.Duration) { observed += command + " " + result }
	finish, err := town.bot.Handle(t.Context(), town.message(manager, "list"))
	if err != nil {
		t.Fatal(err)
	}
	var reply Reply
	for range 3 {
		if reply, err = finish(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if town.log.Len() > 0 || observed != "" {
		t.Errorf("the log tells before the commit: %s%s", town.log.String(), observed)
	}
	reply.Committed()
	if n := strings.Count(town.log.String(), "Answered a command"); n != 1 || observed != "list answered" {
		t.Errorf("%d lines; observed was %q", n, observed)
	}
}

func TestTheAuditHoldsTheBeginningOfATokenOnly(t *testing.T) {
	town := newTown(t, newServer())
	town.says(manager, "create token=secret-token")
	town.says(manager, "delete secret-token")
	if got, want := strings.Join(town.audited(), "\n"), "@manager:example.com create done secr…\n@manager:example.com delete done secr…"; got != want {
		t.Errorf("the audit is\n%s", got)
	}
}

func TestAnswersStayBelowWhatARoomTakes(t *testing.T) {
	server := newServer()
	town := newTown(t, server)
	command := "show"
	for n := range 50 {
		text := fmt.Sprintf("%03d%s", n, strings.Repeat("<", 60))
		server.tokens[text] = tokens.Token{Text: text, Expires: days(town, n)}
		command += " " + text
	}
	a := town.says(manager, command)
	if len(a.Texts) < 2 {
		t.Error("the test should need more than one message")
	}
	for _, text := range a.Texts {
		if size := weigh(text.Text); size > 30<<10 {
			t.Errorf("a message has %d bytes", size)
		}
	}
	if n := strings.Count(a.plain(), "can be used"); n != 50 {
		t.Errorf("%d tokens are shown", n)
	}
	for _, text := range town.says(manager, "list").Texts {
		if size := weigh(text.Text); size > 30<<10 {
			t.Errorf("a message has %d bytes", size)
		}
	}
}

func TestDecideIsForInvitationsToo(t *testing.T) {
	town := newTown(t, newServer())
	decision, err := town.bot.Decide(context.Background(), nobody)
	if err != nil || decision.Role != 0 {
		t.Errorf("%v, %v", decision, err)
	}
	town.says(admin, "allow @nobody:elsewhere.org inviter")
	if decision, err = town.bot.Decide(context.Background(), nobody); err != nil || decision.Role == 0 {
		t.Errorf("%v, %v", decision, err)
	}
}
