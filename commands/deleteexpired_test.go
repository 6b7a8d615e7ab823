package commands

import (
	"fmt"
	"testing"

	"matrix-registration-bot/tokens"
)

// withExpired is a server with that many expired tokens and one that is valid.
func withExpired(t *testing.T, n int) (*town, *server) {
	t.Helper()
	server := newServer()
	town := newTown(t, server)
	server.tokens["valid"] = tokens.Token{Text: "valid"}
	for n := range n {
		text := fmt.Sprintf("old%02d", n)
		server.tokens[text] = tokens.Token{Text: text, Expires: days(town, -1)}
	}
	return town, server
}

func TestAFewExpiredTokensAreDeletedAtOnce(t *testing.T) {
	for _, command := range []string{"delete expired", "delete Expired", "delete-expired"} {
		town, server := withExpired(t, 5)
		town.says(manager, command).is("5 tokens are deleted.")
		if left := server.all(); len(left) != 1 || left[0] != "valid" {
			t.Errorf("left are %q", left)
		}
		town.says(manager, command).is("No token has expired.")
	}
}

func TestManyExpiredTokensAreAskedAbout(t *testing.T) {
	town, server := withExpired(t, 6)
	question := town.says(manager, "delete expired").has("Shall I delete the 6 tokens that have expired?", "within five minutes")
	if len(server.all()) != 7 {
		t.Error("it did not wait for the answer")
	}
	// One is renewed, one is gone, and one more has expired.
	server.tokens["old00"] = tokens.Token{Text: "old00"}
	delete(server.tokens, "old01")
	server.tokens["new"] = tokens.Token{Text: "new", Expires: days(town, -1)}
	town.restart()
	town.reacts(manager, question, "confirm").is("4 tokens are deleted.")
	if left := server.all(); len(left) != 3 {
		t.Errorf("left are %q", left)
	}
	town.says(manager, "confirm").has("no open question")

	town, server = withExpired(t, 6)
	town.says(manager, "delete expired")
	town.says(manager, "cancel").has("nothing was done")
	clear(server.tokens)
	town.says(manager, "confirm").has("no open question")
}

func TestInvitersDeleteOnlyTheirOwnExpiredTokens(t *testing.T) {
	town, server := withExpired(t, 10)
	town.store.rows.Made["old03"] = Maker{User: inviter}
	town.store.rows.Made["old04"] = Maker{User: friend}
	town.says(inviter, "delete expired").is("1 token is deleted.")
	if n := len(server.all()); n != 10 {
		t.Errorf("left are %q", server.all())
	}
	town.says(inviter, "delete expired").is("No token has expired.")
}

func TestDeletingExpiredSurvivesACrashAnywhere(t *testing.T) {
	crashEverywhere(t, func(t *testing.T, town *town, server *server, crash func(Message)) {
		for n := range 3 {
			text := fmt.Sprint("old", n)
			server.tokens[text] = tokens.Token{Text: text, Expires: days(town, -1)}
		}
		server.tokens["valid"] = tokens.Token{Text: "valid"}
		m := town.message(manager, "delete expired")
		crash(m)
		if left := server.all(); len(left) != 1 {
			t.Errorf("left are %q", left)
		}
		town.answered(m).is("3 tokens are deleted.")
	})
}
