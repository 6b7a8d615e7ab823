package doctor

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// wellKnown looks where people's clients are sent (client-server API,
// "well-known URIs"). Having none is fine: people can type the address.
func wellKnown(ctx context.Context, p *Patient) Finding {
	domain := p.Config.Homeserver.Domain
	likeClients := *p
	likeClients.HTTP = &http.Client{Transport: p.HTTP.Transport} // they follow redirects
	a, err := likeClients.call(ctx, http.MethodGet, "https://"+domain, "/.well-known/matrix/client", nil, false, nil)
	if err != nil || a.status != http.StatusOK {
		return ok(fmt.Sprintf("%s has no well-known file that can be read from here: people type the homeserver's address.", domain))
	}
	var said struct {
		Homeserver struct {
			BaseURL string `json:"base_url"`
		} `json:"m.homeserver"`
	}
	if err := a.into(&said); err != nil || said.Homeserver.BaseURL == "" {
		return warning(
			fmt.Sprintf("https://%s/.well-known/matrix/client names no homeserver: clients can't find it by the name %s.", domain, domain),
			`Serve there: {"m.homeserver": {"base_url": "https://..."}}`)
	}
	base := strings.TrimSuffix(said.Homeserver.BaseURL, "/")
	if public := strings.TrimSuffix(p.Config.Homeserver.PublicAddress, "/"); public != "" && public != base {
		return warning(
			fmt.Sprintf("Invitations name %s, but the well-known file of %s sends clients to %s.", public, domain, base),
			fmt.Sprintf("Set homeserver.public_address: %s", base))
	}
	if a, err := likeClients.call(ctx, http.MethodGet, base, "/_matrix/client/versions", nil, false, nil); err != nil || a.status != http.StatusOK {
		return warning(
			fmt.Sprintf("The well-known file of %s sends clients to %s, where no homeserver answers (seen from here).", domain, base),
			"Correct the well-known file, or the proxy in front of the homeserver.")
	}
	return ok(fmt.Sprintf("Clients that know only %s are sent to %s.", domain, base))
}
