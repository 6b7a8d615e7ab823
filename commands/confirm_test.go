package commands

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"matrix-registration-bot/access"
	"matrix-registration-bot/tokens"
)

// threeTokens is a server with three of them, and the question about them.
func threeTokens(t *testing.T) (*town, *server, answer) {
	t.Helper()
	server := newServer()
	for _, text := range []string{"one", "two", "three"} {
		server.tokens[text] = tokens.Token{Text: text}
	}
	town := newTown(t, server)
	return town, server, town.says(admin, "delete-all").has("Shall I delete all 3 tokens")
}

func (t *town) delivered(question answer, at time.Time) {
	for n := range t.store.rows.Questions {
		if t.store.rows.Questions[n].ID == question.question.EventID {
			t.store.rows.Questions[n].AskedAt = at
		}
	}
}

func TestDeleteAllAsksFirst(t *testing.T) {
	_, server, question := threeTokens(t)
	question.is("Shall I delete all 3 tokens, valid or not, whoever made them?\n" +
		"Answer with one of the reactions below, or write confirm or cancel, within five minutes.")
	if q := question.Question; q == nil || q.ID != question.question.EventID || q.Asker != admin || len(q.Tokens) != 3 {
		t.Errorf("the question is %+v", q)
	}
	if len(server.all()) != 3 {
		t.Error("it did not wait for the answer")
	}
}

func TestDeleteAllIsConfirmed(t *testing.T) {
	for name, confirm := range map[string]func(*town, answer) answer{
		"typed":          func(town *town, _ answer) answer { return town.says(admin, "  Confirm ") },
		"as people talk": func(town *town, _ answer) answer { return town.says(admin, "Yes!") },
		"in German":      func(town *town, _ answer) answer { return town.says(admin, "ja") },
		"by reaction":    func(town *town, q answer) answer { return town.reacts(admin, q, "confirm") },
		"after restarts": func(town *town, q answer) answer { town.restart(); return town.reacts(admin, q, "confirm") },
	} {
		t.Run(name, func(t *testing.T) {
			town, server, question := threeTokens(t)
			server.tokens["new"] = tokens.Token{Text: "new"}
			confirm(town, question).is("3 tokens are deleted.")
			if left := server.all(); len(left) != 1 {
				t.Errorf("left are %q, and only the new one should be", left)
			}
			confirm(town, question).lacks("deleted")
		})
	}
}

func TestDeleteAllIsCancelled(t *testing.T) {
	for name, cancel := range map[string]func(*town, answer) answer{
		"typed":       func(town *town, _ answer) answer { return town.says(admin, "cancel") },
		"no":          func(town *town, _ answer) answer { return town.says(admin, "no") },
		"by reaction": func(town *town, q answer) answer { return town.reacts(admin, q, "cancel") },
	} {
		t.Run(name, func(t *testing.T) {
			town, server, question := threeTokens(t)
			cancel(town, question).is("Cancelled, nothing was done.")
			town.says(admin, "confirm").has("no open question")
			town.reacts(admin, question, "confirm").isSilence()
			if len(server.all()) != 3 {
				t.Error("tokens are gone")
			}
		})
	}
}

func TestOnlyTheAskerConfirms(t *testing.T) {
	town, server, question := threeTokens(t)
	town.settings.Permissions["@other:example.com"] = access.Admin
	town.reacts("@other:example.com", question, "confirm").isSilence()
	town.says("@other:example.com", "confirm").has("no open question")
	town.reacts(admin, question, "👍").isSilence()
	town.reacts(admin, question, "create").isSilence()
	town.reacts(admin, answer{question: town.message(admin, "")}, "confirm").isSilence()

	elsewhere := town.message(admin, "confirm")
	elsewhere.RoomID = "!another"
	town.send(elsewhere).has("no open question")
	reaction := town.message(admin, "")
	reaction.RoomID, reaction.Reaction = "!another", &Reaction{Question: question.question.EventID, Key: "confirm"}
	town.send(reaction).isSilence()

	if len(server.all()) != 3 {
		t.Error("tokens are gone")
	}
}

func TestAConfirmationHasFiveMinutes(t *testing.T) {
	for _, test := range []struct {
		after    time.Duration
		accepted bool
	}{{5 * time.Minute, true}, {5*time.Minute + time.Second, false}, {-time.Minute, true}} {
		town, server, question := threeTokens(t)
		town.delivered(question, town.now)
		asked := town.now
		town.now = asked.Add(30 * time.Minute) // the bot was away: only the time stamps count
		m := town.message(admin, "confirm")
		m.SentAt = asked.Add(test.after)
		a := town.send(m)
		if test.accepted {
			a.has("3 tokens are deleted")
			continue
		}
		a.has("more than five minutes old", "delete-all")
		town.says(admin, "confirm").has("no open question")
		if len(server.all()) != 3 {
			t.Error("tokens are gone")
		}
	}
}

func TestAConfirmationNeedsTheRoleStill(t *testing.T) {
	town, server, question := threeTokens(t)
	town.settings.Permissions[string(admin)] = access.Manager
	town.reacts(admin, question, "confirm").has("takes the role admin")
	town.says(admin, "confirm").has("takes the role admin")
	if len(server.all()) != 3 {
		t.Error("tokens are gone")
	}
}

func TestReactionsDoNotCountWhereEncryptionIsRequired(t *testing.T) {
	server := newServer()
	server.tokens["one"] = tokens.Token{Text: "one"}
	town := newTown(t, server)
	town.settings.EncryptionRequired = true
	question := town.says(admin, "delete-all").has("the one token", "Write confirm or cancel").lacks("reactions")
	town.reacts(admin, question, "confirm").has("Please write confirm")
	if len(server.all()) != 1 {
		t.Error("the token is gone")
	}
	town.says(admin, "confirm").is("1 token is deleted.")
}

func TestDeleteAllTellsWhatBecameOfEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		town, server, question := threeTokens(t)
		delete(server.tokens, "one")
		server.fail(fault{"delete", false, kind(tokens.ErrRefused)})
		town.reacts(admin, question, "confirm").has("1 token is deleted.\n1 was gone already.\n1 could not be deleted. The server refused", "\n- t")

		town, server, question = threeTokens(t)
		clear(server.tokens)
		town.reacts(admin, question, "confirm").is("0 tokens are deleted.\n3 were gone already.")
		town.says(admin, "confirm").has("no open question")

		town, server, question = threeTokens(t)
		server.at = func(string, bool) error { return kind(tokens.ErrUnreachable) }
		town.reacts(admin, question, "confirm").has("try again")
		server.at = func(string, bool) error { return nil }
		town.says(admin, "confirm").is("3 tokens are deleted.") // the question stayed open
	})
}

func TestDeleteAllInTwoWords(t *testing.T) {
	town, server, _ := threeTokens(t)
	town.says(admin, "delete all").has("Shall I delete all 3 tokens")
	town.says(manager, "delete all").has("delete-all takes the role admin, and yours is manager")
	if len(server.all()) != 3 {
		t.Error("it did not wait for the answer")
	}
	town.says(admin, "lösche alle").has("Shall I delete all 3 tokens")
	town.says(admin, "confirm").is("3 tokens are deleted.")
}

func TestDeleteAllWithoutTokens(t *testing.T) {
	town := newTown(t, newServer())
	town.says(admin, "delete-all").is("There are no tokens to delete.")
	town.says(admin, "delete-all expired").has("nothing like expired")
	town.says(admin, "confirm").has("no open question")
}

func TestInAGroupTheQuestionNamesThePrefixAndNoToken(t *testing.T) {
	town, _, _ := threeTokens(t)
	town.send(inGroup(town.message(admin, "!reg delete-all"))).has("write !reg confirm or !reg cancel")
	a := town.send(inGroup(town.message(admin, "!reg confirm"))).is("3 tokens are deleted.")
	if a.Question != nil {
		t.Error("there is a question again")
	}
}

func TestManyTokensAreDeletedInOneGo(t *testing.T) {
	server := newServer()
	for n := range 300 {
		text := fmt.Sprint("token", n)
		server.tokens[text] = tokens.Token{Text: text}
	}
	town := newTown(t, server)
	town.says(admin, "delete-all").has("all 300 tokens")
	town.says(admin, "confirm").is("300 tokens are deleted.")
}
