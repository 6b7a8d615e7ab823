package commands

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// Whatever goes wrong on the server, the person who meets it reads a sentence,
// and an admin whom they ask can act on it.
func TestEveryFailureOfTheServerHasASentence(t *testing.T) {
	catalog, err := locale.Load()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]error{
		"ErrNotFound": tokens.ErrNotFound, "ErrExists": tokens.ErrExists, "ErrBadText": tokens.ErrBadText, "ErrRefused": tokens.ErrRefused,
		"ErrBadCredentials": tokens.ErrBadCredentials, "ErrNotAdmin": tokens.ErrNotAdmin, "ErrNoAPI": tokens.ErrNoAPI,
		"ErrRateLimited": tokens.ErrRateLimited, "ErrUnreachable": tokens.ErrUnreachable, "ErrUnknownOutcome": tokens.ErrUnknownOutcome,
		"ErrUnable": tokens.ErrUnable, "ErrRevoked": tokens.ErrRevoked, "ErrNotRevoked": tokens.ErrNotRevoked, "ErrFixed": tokens.ErrFixed,
		"ErrNotKept": tokens.ErrNotKept, "ErrTokensOff": tokens.ErrTokensOff, "ErrNotAdminToken": tokens.ErrNotAdminToken,
		"ErrNotAdminClient": tokens.ErrNotAdminClient, "ErrBadClient": tokens.ErrBadClient, "ErrNeedsCredentials": tokens.ErrNeedsCredentials,
		"ErrNoIssuer": tokens.ErrNoIssuer, "ErrNoAdminAPI": tokens.ErrNoAdminAPI, "ErrHasNone": tokens.ErrHasNone, "ErrWrongKind": tokens.ErrWrongKind,
	}
	for _, name := range sentinels(t) {
		kind, known := kinds[name]
		if !known {
			t.Errorf("tokens.%s is not in this test", name)
			continue
		}
		for _, found := range []string{tokens.KindSynapse, tokens.KindMAS, tokens.KindDendrite} {
			key := failureKey(&tokens.Error{Kind: kind, Op: "create token", Found: found})
			for _, language := range catalog.Names() {
				text := catalog.Language(language).Text(key, locale.Args{"token": "abc", "body": "{}", "bot": "@bot:x", "prefix": ""})
				if strings.Count(text.Plain, " ") < 3 {
					t.Errorf("%s (%s): the sentence %q in %s is %q", name, found, key, language, text.Plain)
				}
			}
		}
	}
}

// sentinels are the names of the exported errors of package tokens.
func sentinels(t *testing.T) (names []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../tokens/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok {
			for _, name := range spec.Names {
				if strings.HasPrefix(name.Name, "Err") {
					names = append(names, name.Name)
				}
			}
		}
		return true
	})
	if len(names) == 0 {
		t.Fatal("tokens/errors.go has no errors")
	}
	return names
}
