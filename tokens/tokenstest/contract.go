package tokenstest

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/tokens"
)

// Contract is what every kind of server has to do, and what each does with the
// abilities that it claims. newServer returns a client of a server that works;
// it may hold tokens already, and keep those that the contract leaves behind.
func Contract(t *testing.T, newServer func(t *testing.T) tokens.Server) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, tokens.Server){
		"a created token is the one that was asked for":         createdAsAsked,
		"a token can be made without limits":                    createdWithoutLimits,
		"a created token is shown and listed":                   shownAndListed,
		"a taken text is refused and the token stays as it was": takenText,
		"a text that can't be a token is refused":               badTexts,
		"no token is made for less than one use, or too many":   noUses,
		"no token is made that has expired already":             inThePast,
		"a token that was never made is not found":              neverMade,
		"a deleted token is gone":                               deletedIsGone,
		"a deleted token's text is free, or can be restored":    deletedComesBack,
		"nothing that stands is restored":                       nothingToRestore,
		"a token's limits can be changed":                       changed,
		"a token can't be changed into one for nobody":          changedForNobody,
		"the valid tokens can be listed alone":                  validListed,
		"the abilities are told from the first answer on":       abilitiesTold,
		"letter case counts":                                    letterCase,
		"odd texts are tokens like all others":                  oddTexts,
		"texts that no server holds name nothing and hurt none": strangeTexts,
		"a call ends with its context":                          endsWithContext,
	} {
		t.Run(name, func(t *testing.T) { test(t, newServer(t)) })
	}
}

func createdAsAsked(t *testing.T, server tokens.Server) {
	spec := specWith(tokens.Draw(16))
	token := create(t, server, spec)
	if !spec.Matches(token) {
		t.Errorf("asked for %+v, got %+v", spec, token)
	}
	if token.Pending != 0 || token.Completed != 0 {
		t.Errorf("a new token has been used: %+v", token)
	}
}

func createdWithoutLimits(t *testing.T, server tokens.Server) {
	spec := tokens.Spec{Text: tokens.Draw(16)}
	create(t, server, spec)
	if token := get(t, server, spec.Text); token.Uses != nil || token.Expires != nil {
		t.Errorf("there are limits: %+v", token)
	}
}

func shownAndListed(t *testing.T, server tokens.Server) {
	spec := specWith(tokens.Draw(16))
	create(t, server, spec)
	if token := get(t, server, spec.Text); !spec.Matches(token) {
		t.Errorf("asked for %+v, shown %+v", spec, token)
	}
	list := list(t, server)
	i := slices.IndexFunc(list, func(token tokens.Token) bool { return token.Text == spec.Text })
	if i < 0 {
		t.Fatal("it is not in the list")
	}
	if !spec.Matches(list[i]) {
		t.Errorf("asked for %+v, listed %+v", spec, list[i])
	}
}

func takenText(t *testing.T, server tokens.Server) {
	spec := specWith(tokens.Draw(16))
	create(t, server, spec)
	_, err := server.Create(t.Context(), tokens.Spec{Text: spec.Text})
	wantError(t, err, tokens.ErrExists)
	if token := get(t, server, spec.Text); !spec.Matches(token) {
		t.Errorf("it has changed from %+v to %+v", spec, token)
	}
}

func badTexts(t *testing.T, server tokens.Server) {
	for _, text := range []string{"", strings.Repeat("a", 65), "two words", "a/b", "ü", "a\x00"} {
		_, err := server.Create(t.Context(), tokens.Spec{Text: text})
		wantError(t, err, tokens.ErrBadText)
	}
}

func noUses(t *testing.T, server tokens.Server) {
	for _, uses := range []int{0, -1, math.MaxInt32 + 1} {
		text := tokens.Draw(16)
		_, err := server.Create(t.Context(), tokens.Spec{Text: text, Uses: &uses})
		wantError(t, err, tokens.ErrRefused)
		_, err = server.Get(t.Context(), text)
		wantError(t, err, tokens.ErrNotFound)
	}
}

func inThePast(t *testing.T, server tokens.Server) {
	past := time.Now().Add(-time.Minute)
	text := tokens.Draw(16)
	_, err := server.Create(t.Context(), tokens.Spec{Text: text, Expires: &past})
	wantError(t, err, tokens.ErrRefused)
	_, err = server.Get(t.Context(), text)
	wantError(t, err, tokens.ErrNotFound)
}

func neverMade(t *testing.T, server tokens.Server) {
	_, err := server.Get(t.Context(), tokens.Draw(16))
	wantError(t, err, tokens.ErrNotFound)
	wantError(t, server.Delete(t.Context(), tokens.Draw(16)), tokens.ErrNotFound)
}

func deletedIsGone(t *testing.T, server tokens.Server) {
	text := tokens.Draw(16)
	create(t, server, tokens.Spec{Text: text})
	remove(t, server, text)
	wantGone(t, server, text)
	wantError(t, server.Delete(t.Context(), text), tokens.ErrNotFound)
	if tokens.AbilitiesOf(server).Revokes {
		wantError(t, server.Delete(t.Context(), text), tokens.ErrRevoked)
	}
	for _, token := range list(t, server) {
		if token.Text == text && token.State(time.Now()) != tokens.Revoked {
			t.Errorf("it is still in the list: %+v", token)
		}
	}
}

func deletedComesBack(t *testing.T, server tokens.Server) {
	spec := specWith(tokens.Draw(16))
	create(t, server, spec)
	remove(t, server, spec.Text)
	restorer, able := server.(tokens.Restorer)
	if !tokens.AbilitiesOf(server).Revokes {
		if able {
			_, err := restorer.Restore(t.Context(), spec.Text)
			wantError(t, err, tokens.ErrUnable)
		}
		create(t, server, spec)
		return
	}
	if !able {
		t.Fatal("what it revokes can't be restored")
	}
	_, err := server.Create(t.Context(), spec)
	wantError(t, err, tokens.ErrExists)
	token, err := restorer.Restore(t.Context(), spec.Text)
	if err != nil || token.Revoked || !spec.Matches(token) {
		t.Errorf("restored as %+v, %v", token, err)
	}
	if token := get(t, server, spec.Text); token.State(time.Now()) != tokens.Valid || !spec.Matches(token) {
		t.Errorf("after that it is %+v", token)
	}
}

func nothingToRestore(t *testing.T, server tokens.Server) {
	restorer, able := server.(tokens.Restorer)
	if !able || !tokens.AbilitiesOf(server).Revokes {
		return // see deletedComesBack
	}
	_, err := restorer.Restore(t.Context(), tokens.Draw(16))
	wantError(t, err, tokens.ErrNotFound)
	text := tokens.Draw(16)
	create(t, server, tokens.Spec{Text: text})
	_, err = restorer.Restore(t.Context(), text)
	wantError(t, err, tokens.ErrNotRevoked)
}

func changed(t *testing.T, server tokens.Server) {
	editor, ok := server.(tokens.Editor)
	if !ok {
		t.Fatal("it is no Editor")
	}
	spec := specWith(tokens.Draw(16))
	create(t, server, spec)
	later := time.Now().Add(48 * time.Hour).Truncate(time.Second)
	for _, spec := range []tokens.Spec{
		{Text: spec.Text, Uses: new(5), Expires: spec.Expires},
		{Text: spec.Text, Uses: new(5), Expires: &later},
		{Text: spec.Text},
		spec,
	} {
		token, err := editor.Update(t.Context(), spec)
		if err != nil || !spec.Matches(token) {
			t.Errorf("wanted %+v, got %+v, %v", spec, token, err)
		}
		if token := get(t, server, spec.Text); !spec.Matches(token) {
			t.Errorf("wanted %+v, and after that it is %+v", spec, token)
		}
	}
	_, err := editor.Update(t.Context(), specWith(tokens.Draw(16)))
	wantError(t, err, tokens.ErrNotFound)
}

func changedForNobody(t *testing.T, server tokens.Server) {
	spec := specWith(tokens.Draw(16))
	create(t, server, spec)
	past := time.Now().Add(-time.Hour)
	for _, bad := range []tokens.Spec{
		{Text: spec.Text, Uses: new(0)}, {Text: spec.Text, Uses: new(-1)}, {Text: spec.Text, Expires: &past},
	} {
		_, err := server.(tokens.Editor).Update(t.Context(), bad)
		wantError(t, err, tokens.ErrRefused)
	}
	if token := get(t, server, spec.Text); !spec.Matches(token) {
		t.Errorf("it has changed from %+v to %+v", spec, token)
	}
}

func validListed(t *testing.T, server tokens.Server) {
	stays, goes := tokens.Draw(16), tokens.Draw(16)
	create(t, server, tokens.Spec{Text: stays})
	create(t, server, tokens.Spec{Text: goes})
	remove(t, server, goes)
	valid, err := server.(tokens.Filterer).ListValid(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for _, token := range valid {
		texts[token.Text] = true
		if state := token.State(time.Now()); state != tokens.Valid {
			t.Errorf("%+v is %s", token, state)
		}
	}
	if !texts[stays] || texts[goes] {
		t.Errorf("the valid token is there: %t, the deleted one: %t", texts[stays], texts[goes])
	}
}

func abilitiesTold(t *testing.T, server tokens.Server) {
	list(t, server)
	switch kind := tokens.AbilitiesOf(server).Kind; kind {
	case tokens.KindSynapse, tokens.KindMAS, tokens.KindDendrite:
	default:
		t.Errorf("its kind is %q", kind)
	}
}

func letterCase(t *testing.T, server tokens.Server) {
	text := "a" + tokens.Draw(15)
	create(t, server, tokens.Spec{Text: text})
	_, err := server.Get(t.Context(), strings.ToUpper(text))
	wantError(t, err, tokens.ErrNotFound)
}

func oddTexts(t *testing.T, server tokens.Server) {
	unique := tokens.Draw(60)
	for _, text := range []string{".", "..", "...", "~", "-", "new", "a.b", unique + "._~-"} {
		t.Run(text, func(t *testing.T) {
			spec := specWith(text)
			renew(t, server, spec)
			if token := get(t, server, text); !spec.Matches(token) {
				t.Errorf("asked for %+v, got %+v", spec, token)
			}
			remove(t, server, text)
			wantGone(t, server, text)
		})
	}
}

// renew makes a token although there may be one of that name.
func renew(t *testing.T, server tokens.Server, spec tokens.Spec) {
	t.Helper()
	err := server.Delete(t.Context(), spec.Text)
	if errors.Is(err, tokens.ErrRevoked) || err == nil && tokens.AbilitiesOf(server).Revokes {
		if _, err := server.(tokens.Restorer).Restore(t.Context(), spec.Text); err != nil {
			t.Fatal(err)
		}
		if _, err := server.(tokens.Editor).Update(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err != nil && !errors.Is(err, tokens.ErrNotFound) {
		t.Fatal(err)
	}
	create(t, server, spec)
}

func strangeTexts(t *testing.T, server tokens.Server) {
	bystander := tokens.Draw(16)
	create(t, server, tokens.Spec{Text: bystander})
	for _, text := range []string{
		"", " ", "/", "./" + bystander, "../registration_tokens/" + bystander, bystander + "/", bystander + "?", bystander + "#x",
		"%2e%2e", "a/b?c#d", "für-Oma", "🎟", "\x00", "a\nb", "\xff", strings.Repeat("a", 70_000),
	} {
		_, err := server.Get(t.Context(), text)
		wantError(t, err, tokens.ErrNotFound)
		wantError(t, server.Delete(t.Context(), text), tokens.ErrNotFound)
	}
	get(t, server, bystander)
}

func endsWithContext(t *testing.T, server tokens.Server) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := server.List(ctx)
	wantError(t, err, context.Canceled)
	_, err = server.Create(ctx, tokens.Spec{Text: tokens.Draw(16)})
	wantError(t, err, context.Canceled)
	wantError(t, err, tokens.ErrUnreachable)
}

// specWith is for two people and expires tomorrow, in odd milliseconds.
func specWith(text string) tokens.Spec {
	uses := 2
	expires := time.Now().Add(24 * time.Hour).Truncate(time.Second).Add(123 * time.Millisecond)
	return tokens.Spec{Text: text, Uses: &uses, Expires: &expires}
}

func create(t *testing.T, server tokens.Server, spec tokens.Spec) tokens.Token {
	t.Helper()
	token, err := server.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func get(t *testing.T, server tokens.Server, text string) tokens.Token {
	t.Helper()
	token, err := server.Get(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func list(t *testing.T, server tokens.Server) []tokens.Token {
	t.Helper()
	list, err := server.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func remove(t *testing.T, server tokens.Server, text string) {
	t.Helper()
	if err := server.Delete(t.Context(), text); err != nil {
		t.Fatal(err)
	}
}

// wantGone fails if somebody could still register with the token.
func wantGone(t *testing.T, server tokens.Server, text string) {
	t.Helper()
	token, err := server.Get(t.Context(), text)
	if tokens.AbilitiesOf(server).Revokes && err == nil && token.State(time.Now()) == tokens.Revoked {
		return
	}
	if err == nil {
		t.Errorf("it is still there: %+v", token)
		return
	}
	wantError(t, err, tokens.ErrNotFound)
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
	if failure := (*tokens.Error)(nil); err != nil && !errors.As(err, &failure) {
		t.Errorf("%v is not a *tokens.Error", err)
	}
}
