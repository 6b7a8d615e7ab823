package tokens_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/tokens"
	"matrix-registration-bot/tokens/tokenstest"
)

func TestDendriteWithoutTokens(t *testing.T) {
	server := connect(t, tokenstest.StartDendrite(t).Config())
	if list, err := server.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v", list, err)
	}
}

func TestDendriteThatDoesNotKeepAChange(t *testing.T) {
	dendrite := tokenstest.StartDendrite(t)
	dendrite.ForgetUpdates()
	server := connect(t, dendrite.Config())
	if _, err := server.Create(t.Context(), tokens.Spec{Text: "abc", Uses: new(1)}); err != nil {
		t.Fatal(err)
	}
	_, err := server.Update(t.Context(), tokens.Spec{Text: "abc", Uses: new(2)})
	wantKind(t, err, tokens.ErrNotKept)
}

func TestDendriteThatDoesNotAskForTokens(t *testing.T) {
	dendrite := tokenstest.StartDendrite(t)
	dendrite.RequireTokens(false)
	_, err := connect(t, dendrite.Config()).Create(t.Context(), tokens.Spec{Text: "abc"})
	wantKind(t, err, tokens.ErrTokensOff)
}

func TestDendriteForOneWhoIsNoAdmin(t *testing.T) {
	config := tokenstest.StartDendrite(t).Config()
	config.Token = tokenstest.ASToken
	server := connect(t, config)
	_, err := server.Create(t.Context(), tokens.Spec{Text: "abc"})
	wantKind(t, err, tokens.ErrNotAdminToken)
	wantKind(t, server.Delete(t.Context(), "abc"), tokens.ErrNotAdminToken)
	config.Token = "old"
	_, err = connect(t, config).List(t.Context())
	wantKind(t, err, tokens.ErrBadCredentials)
}

func TestDendriteIsNotAskedToDeleteWhatIsNotThere(t *testing.T) {
	dendrite := tokenstest.StartDendrite(t)
	server := connect(t, dendrite.Config())
	wantKind(t, server.Delete(t.Context(), "abc"), tokens.ErrNotFound)

	dendrite.Always(tokenstest.Page(http.StatusBadGateway))
	err := server.Delete(t.Context(), "abc")
	wantKind(t, err, tokens.ErrUnreachable)
	if op := asError(t, err).Op; op != "delete token" {
		t.Errorf("%q failed, it says", op)
	}
	for _, request := range dendrite.Requests() {
		if request.Method == http.MethodDelete {
			t.Error("it was asked")
		}
	}
}

func TestAnExistingTokenOfDendriteIsNotShownInTheError(t *testing.T) {
	server := connect(t, tokenstest.StartDendrite(t).Config())
	if _, err := server.Create(t.Context(), tokens.Spec{Text: "sEcReT"}); err != nil {
		t.Fatal(err)
	}
	_, err := server.Create(t.Context(), tokens.Spec{Text: "sEcReT"})
	wantKind(t, err, tokens.ErrExists)
	if strings.Contains(err.Error(), "sEcReT") {
		t.Error(err)
	}
}

func TestTokensOfTuwunelsConfigFile(t *testing.T) {
	server := connect(t, tokenstest.StartTuwunel(t, "fixed").Config())
	token, err := server.Get(t.Context(), "fixed")
	if err != nil || token.Uses != nil {
		t.Errorf("got %+v, %v", token, err)
	}
	wantKind(t, server.Delete(t.Context(), "fixed"), tokens.ErrFixed)
	_, err = server.Update(t.Context(), tokens.Spec{Text: "fixed", Uses: new(1)})
	wantKind(t, err, tokens.ErrFixed)
}

func TestUsedUpTokensOfTuwunelAreGone(t *testing.T) {
	tuwunel := tokenstest.StartTuwunel(t)
	server := connect(t, tuwunel.Config())
	if _, err := server.Create(t.Context(), tokens.Spec{Text: "abc", Uses: new(1)}); err != nil {
		t.Fatal(err)
	}
	tuwunel.Use("abc")
	_, err := server.Get(t.Context(), "abc")
	wantKind(t, err, tokens.ErrNotFound)
	wantKind(t, server.Delete(t.Context(), "abc"), tokens.ErrNotFound)
}

func TestOneWhoIsNoAdminOfTuwunel(t *testing.T) {
	config := tokenstest.StartTuwunel(t, "fixed").Config()
	config.UserID = "@other:example.com"
	server := connect(t, config)
	wantKind(t, server.Delete(t.Context(), "fixed"), tokens.ErrNotAdmin)
	_, err := server.Create(t.Context(), tokens.Spec{Text: "abc"})
	wantKind(t, err, tokens.ErrNotAdmin)
}

func TestSynapseAndDendriteCanNotRestore(t *testing.T) {
	for _, config := range []tokens.Config{tokenstest.StartSynapse(t).Config(), tokenstest.StartDendrite(t).Config()} {
		server := connect(t, config)
		_, err := server.Restore(t.Context(), "abc")
		wantKind(t, err, tokens.ErrUnable)
		_, err = server.LastUser(t.Context(), tokens.Token{Text: "abc"})
		wantKind(t, err, tokens.ErrUnable)
	}
}

func TestDendriteIsNotAskedForAccounts(t *testing.T) {
	dendrite := tokenstest.StartDendrite(t)
	_, err := connect(t, dendrite.Config()).NewAccounts(t.Context(), time.Now())
	wantKind(t, err, tokens.ErrUnable)
	if requests := dendrite.Requests(); len(requests) > 0 {
		t.Errorf("it was asked %+v", requests)
	}
}
