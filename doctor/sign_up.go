package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"matrix-registration-bot/tokens"
)

const tokenStage = "m.login.registration_token"

const askForTokens = "Put this into homeserver.yaml and restart it:\nenable_registration: true\nregistration_requires_token: true"

const askForTokensAtMAS = "Put this into MAS's config and restart it:\naccount:\n  password_registration_enabled: true\n  password_registration_token_required: true"

// signUp looks whether newcomers can register, and need a token to.
func signUp(ctx context.Context, p *Patient) Finding {
	a, err := p.call(ctx, http.MethodPost, p.homeserver(), "/_matrix/client/v3/register", nil, false, struct{}{})
	if err != nil {
		return problem(fmt.Sprintf("The homeserver can't be asked: %v.", err), "See the check of the homeserver.")
	}
	switch {
	case a.errcode == "M_FORBIDDEN" && mentions(a.words, "application_service"):
		return signUpAtMAS(ctx, p)
	case p.isDendrite(ctx):
		return signUpAtDendrite(a)
	case a.errcode == "M_FORBIDDEN":
		return problem("The homeserver lets nobody register: tokens are of no use.", askForTokens)
	case a.errcode == "M_LIMIT_EXCEEDED":
		return warning("The homeserver limits how often this can be asked.", "Ask again in a minute.")
	}
	var said struct {
		Flows []struct {
			Stages []string `json:"stages"`
		} `json:"flows"`
	}
	if err := a.into(&said); err != nil || len(said.Flows) == 0 {
		return warning(fmt.Sprintf("How newcomers register can't be seen: HTTP %d %s.", a.status, a.words), "Try it with a client.")
	}
	for _, flow := range said.Flows {
		if !slices.Contains(flow.Stages, tokenStage) {
			return problem("Newcomers can register without a token: anybody can join.", askForTokens)
		}
	}
	return ok("Newcomers need a registration token.")
}

// signUpAtMAS asks MAS how people make accounts there. It does not tell all, so
// nothing of it is a problem.
func signUpAtMAS(ctx context.Context, p *Patient) Finding {
	teller, able := p.Tokens.(tokens.SignUpTeller)
	if !able {
		return warning("Newcomers register at the Matrix Authentication Service, and api.type says that tokens are made elsewhere.", "See the check of the token API.")
	}
	how, err := teller.SignUp(ctx)
	switch {
	case err != nil:
		return warning("Newcomers register at the Matrix Authentication Service; whether they need a token can't be seen.", "See the check of the token API.")
	case !how.Open:
		return warning("The Matrix Authentication Service lets nobody register with a password: tokens are of no use, except with its upstream providers.", askForTokensAtMAS)
	case !how.WantsTokens:
		return warning("The Matrix Authentication Service does not say that newcomers need a token: perhaps anybody can join.", askForTokensAtMAS)
	}
	return ok("Newcomers need a registration token, at the Matrix Authentication Service.")
}

// signUpAtDendrite reads Dendrite's answer. Nothing can be mended there.
func signUpAtDendrite(a answer) Finding {
	if a.errcode == "M_FORBIDDEN" {
		return warning(
			"Dendrite lets nobody register: tokens are of no use.",
			"Dendrite does not ask for tokens: with client_api.registration_disabled: false in dendrite.yaml anybody can register.")
	}
	return warning(
		"Dendrite lets newcomers register without a token: anybody can join.",
		"Dendrite can't ask for tokens. To keep uninvited people out, set client_api.registration_disabled: true in dendrite.yaml and make the accounts yourself.")
}
