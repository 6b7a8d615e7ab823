package tokenstest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"matrix-registration-bot/tokens"
)

// Contract is what every kind of server has to do. newServer returns a client
// of a server that works; it may hold tokens already, and keep those that the
// contract leaves behind.
func Contract(t *testing.T, newServer func(t *testing.T) tokens.Server) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, tokens.Server){
		"a created token is the one that was asked for":         createdAsAsked,
		"a token can be made without limits":                    createdWithoutLimits,
		"a created token is shown and listed":                   shownAndListed,
		"a taken text is refused and the token stays as it was": takenText,
		"a text that can't be a token is refused":               badTexts,
		"no token is made for less than one use":                noUses,
		"a token that was never made is not found":              neverMade,
		"a deleted token is gone":                               deletedIsGone,
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
	for _, uses := range []int{0, -1} {
		text := tokens.Draw(16)
		_, err := server.Create(t.Context(), tokens.Spec{Text: text, Uses: &uses})
		wantError(t, err, tokens.ErrRefused)
		_, err = server.Get(t.Context(), text)
		wantError(t, err, tokens.ErrNotFound)
	}
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
	_, err := server.Get(t.Context(), text)
	wantError(t, err, tokens.ErrNotFound)
	wantError(t, server.Delete(t.Context(), text), tokens.ErrNotFound)
	if slices.ContainsFunc(list(t, server), func(token tokens.Token) bool { return token.Text == text }) {
		t.Error("it is still in the list")
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
			if err := server.Delete(t.Context(), text); err != nil && !errors.Is(err, tokens.ErrNotFound) {
				t.Fatal(err)
			}
			spec := specWith(text)
			create(t, server, spec)
			if token := get(t, server, text); !spec.Matches(token) {
				t.Errorf("asked for %+v, got %+v", spec, token)
			}
			remove(t, server, text)
			_, err := server.Get(t.Context(), text)
			wantError(t, err, tokens.ErrNotFound)
		})
	}
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

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
	if failure := (*tokens.Error)(nil); err != nil && !errors.As(err, &failure) {
		t.Errorf("%v is not a *tokens.Error", err)
	}
}
