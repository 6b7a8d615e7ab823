package doctor

import (
	"context"
	"errors"
	"fmt"

	"matrix-registration-bot/tokens"
)

// askedToken is a token that nobody makes: "not found" is a working answer.
const askedToken = "registration-bot-check"

// tokenAPI looks whether the bot may make tokens.
func tokenAPI(ctx context.Context, p *Patient) Finding {
	return AskTokens(ctx, p.Tokens, p.Config.BotUserID())
}

// AskTokens asks a server for a token, and says what its answer means.
func AskTokens(ctx context.Context, server tokens.Server, bot string) Finding {
	_, err := server.Get(ctx, askedToken)
	if err != nil && !errors.Is(err, tokens.ErrNotFound) {
		return tokensTrouble(err, bot)
	}
	if kind := tokens.AbilitiesOf(server).Kind; kind != "" {
		return ok(fmt.Sprintf("The bot can make registration tokens (%s).", kind))
	}
	return ok("The bot can make registration tokens.")
}

// tokensTrouble says what an error of the token API means. The particular
// causes stand before the ones that they are a case of.
func tokensTrouble(err error, bot string) Finding {
	var failure *tokens.Error
	found := ""
	if errors.As(err, &failure) {
		found = failure.Found
	}
	for _, known := range []struct {
		kind     error
		text, do string
	}{
		{tokens.ErrNotAdminClient, "MAS does not let the bot's client use its admin API.", "Add the client's id to policy.data.admin_clients in MAS's config, and restart it."},
		{tokens.ErrBadClient, "MAS does not accept the bot's client.", "Compare api.client_id, api.client_secret and api.client_auth with the entry under clients in MAS's config."},
		{tokens.ErrNeedsCredentials, fmt.Sprintf("Tokens are made by another kind of server (%s), for which the config has no credentials.", found), "Set api.client_id and api.client_secret (MAS), or api.token (Dendrite): see docs/servers.md."},
		{tokens.ErrNoIssuer, "MAS does not answer at its issuer's address.", "Set api.issuer to where the bot reaches MAS."},
		{tokens.ErrNoAdminAPI, "MAS answers, but does not serve its admin API there.", "Add the resource adminapi to a listener in MAS's config, and set api.base_url to it."},
		{tokens.ErrHasNone, "This homeserver has no token API.", "If its accounts are kept by MAS, set api.type: mas. Conduit and its relatives have none that the bot could use."},
		{tokens.ErrWrongKind, fmt.Sprintf("api.type names another kind of server than the one that is there (%s).", found), fmt.Sprintf("Set api.type: %s", found)},
		{tokens.ErrNotAdminToken, "The access token in api.token is not a server admin's.", "Set api.token to the access token of a server admin."},
		{tokens.ErrNotAdmin, fmt.Sprintf("%s is not a server admin.", bot), makeAdmin(bot)},
		{tokens.ErrBadCredentials, "The server does not accept the bot's access token.", "If api.token is set, it may be old; else the homeserver has not loaded registration.yaml."},
		{tokens.ErrNoAPI, "The token API is not at api.base_url: a proxy closes /_synapse/admin, or accounts are kept by MAS.", "Set api.base_url to the homeserver's internal address, for example http://localhost:8008"},
		{tokens.ErrUnreachable, "The token API can't be reached.", "Check api.base_url, and that the server runs."},
		{tokens.ErrUnknownOutcome, "The token API does not give a usable answer.", "Check api.base_url, and the server's log."},
	} {
		if errors.Is(err, known.kind) {
			return problem(known.text, known.do)
		}
	}
	return problem("The token API refuses the bot.", "See the server's log.")
}

func makeAdmin(bot string) string {
	return fmt.Sprintf(`Let an admin of the server send PUT /_synapse/admin/v2/users/%s with the body {"admin": true}, or run this with their access token in FILE:
matrix-registration-bot grant-admin --access-token-file FILE`, bot)
}
