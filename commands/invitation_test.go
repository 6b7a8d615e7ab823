package commands

import (
	"strings"
	"testing"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

// forward returns the message to forward in the answer to a command.
func (t *town) forward(command string) string {
	t.t.Helper()
	a := t.says(manager, command)
	if a.Question != nil {
		a = t.says(manager, "confirm")
	}
	for _, text := range a.Texts {
		if text.Forward {
			if text.HTML != "" {
				t.t.Errorf("the message to forward is not plain: %s", text.HTML)
			}
			return text.Plain
		}
	}
	t.t.Fatalf("there is no message to forward:\n%s", a.plain())
	return ""
}

func (t *town) forwards(command, want string) {
	t.t.Helper()
	if got := t.forward(command); got != want {
		t.t.Errorf("after %s the message to forward is\n%s\n\nand should be\n%s", command, got, want)
	}
}

func TestTheMessageToForwardSaysAllThatAFriendNeeds(t *testing.T) {
	town, _ := onSynapse(t)
	town.settings.Address = "https://example.com"
	town.forwards("create token=abc", `You are invited to join example.com on Matrix.

Your invite code: abc
It is for one person.
It is valid until Tuesday, 8 December 2099, 05:50 UTC.

Make your account with one of these apps:
- Cinny, in the browser, with the code filled in: https://cinny.example.org/register/example.com/?token=abc
- Element, in the browser: https://element.example.org/#/register (choose the server example.com, and enter the code when you are asked for it)
Then use it on your phone too, with Element X: https://mobile.element.io/element?account_provider=example.com`)
	town.forwards("create count=2 uses=unlimited expires=never", `You are invited to join example.com on Matrix.

Your invite code: (your code)
It is for any number of people.

Make your account with one of these apps:
- Cinny, in the browser: https://cinny.example.org/register/example.com/
- Element, in the browser: https://element.example.org/#/register (choose the server example.com, and enter the code when you are asked for it)
Then use it on your phone too, with Element X: https://mobile.element.io/element?account_provider=example.com`)
}

func TestAServerThatIsNotFoundByItsNameIsNamedByItsAddress(t *testing.T) {
	town, _ := onSynapse(t)
	town.settings.Address = "https://matrix.example.com:8448"
	town.forwards("create token=abc uses=5", `You are invited to join example.com on Matrix.

Your invite code: abc
It is for 5 people.
It is valid until Tuesday, 8 December 2099, 05:50 UTC.
The server is example.com, its address https://matrix.example.com:8448

Make your account with one of these apps:
- Cinny, in the browser, with the code filled in: https://cinny.example.org/register/https:%2F%2Fmatrix.example.com:8448/?token=abc
- Element, in the browser: https://element.example.org/#/register (choose the server example.com, and enter the code when you are asked for it)
Then use it on your phone too, with Element X: https://mobile.element.io/element?account_provider=matrix.example.com%3A8448`)
}

func TestWithoutWebClientsAnyAppWillDo(t *testing.T) {
	town, _ := onSynapse(t)
	town.settings.Address, town.settings.Apps = "https://example.com", Apps{}
	town.forwards("create token=abc", `You are invited to join example.com on Matrix.

Your invite code: abc
It is for one person.
It is valid until Tuesday, 8 December 2099, 05:50 UTC.

Open a Matrix app, choose to create an account on the server example.com, and enter the code when you are asked for it.
Then use it on your phone too, with Element X: https://mobile.element.io/element?account_provider=example.com`)
}

func TestWhereMASKeepsTheAccountsItsPageComesFirst(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	town := on(t, mas.Config())
	town.settings.Address = "https://example.com"
	const (
		begin = `You are invited to join example.com on Matrix.

Your invite code: abc
It is for one person.
It is valid until Tuesday, 8 December 2099, 05:50 UTC.

`
		end = `
Or do it on your phone with Element X: open https://mobile.element.io/element?account_provider=example.com and tap “Sign in”, then “Create account”.
Then sign in with any Matrix app, for example here: https://element.example.org`
	)
	town.forwards("create token=abc", begin+"Make your account on this page, and enter the code when you are asked for it: "+mas.Public.URL+"/register"+end)

	// A bot that has just begun knows of no page yet.
	made := Step{Result: &tokens.Token{Text: "abc"}}
	r := town.bot.request(town.message(manager, ""))
	r.abilities = func() tokens.Abilities { return tokens.Abilities{Kind: tokens.KindMAS} }
	if got := r.invitation([]Step{made}).Plain; !strings.Contains(got, "choose to create an account on the server example.com") {
		t.Errorf("without a page it is\n%s", got)
	}
}

func TestTheMessageToForwardIsTheAdmins(t *testing.T) {
	town, _ := onSynapse(t)
	town.settings.Messages = map[string]string{"en": "Join {server} ({address}) with {code} <now>.\nUntil {until}!\nFor {uses}.\n"}

	const begin = "Join example.com (https://matrix.example.com) with "
	for command, want := range map[string]string{
		"create token=abc":                              begin + "abc <now>.\nUntil Tuesday, 8 December 2099, 05:50 UTC!\nFor 1.",
		"create token=def expires=never":                begin + "def <now>.\nFor 1.",
		"create token=ghi uses=unlimited expires=never": begin + "ghi <now>.",
	} {
		town.forwards(command, want)
	}
}

func TestAPageIsNamedWhereThereIsOne(t *testing.T) {
	mas := tokenstest.StartMAS(t, tokenstest.MASOptions{})
	town := on(t, mas.Config())
	town.settings.Messages = map[string]string{"en": "Code {code}\nPage {page}"}
	town.forwards("create token=abc", "Code abc\nPage "+mas.Public.URL+"/register")
	other, _ := onSynapse(t)
	other.settings.Messages = town.settings.Messages
	other.forwards("create token=abc", "Code abc")
}
