package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

const tokenStage = "m.login.registration_token"

const askForTokens = "Put this into homeserver.yaml and restart it:\nenable_registration: true\nregistration_requires_token: true"

// signUp looks whether newcomers can register, and need a token to.
func signUp(ctx context.Context, p *Patient) Finding {
	a, err := p.call(ctx, http.MethodPost, p.homeserver(), "/_matrix/client/v3/register", nil, false, struct{}{})
	if err != nil {
		return problem(fmt.Sprintf("The homeserver can't be asked: %v.", err), "See the check of the homeserver.")
	}
	switch {
	case a.errcode == "M_FORBIDDEN" && mentions(a.words, "application_service"):
		return ok("Newcomers register at the Matrix Authentication Service, not at the homeserver.")
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
