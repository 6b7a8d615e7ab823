package doctor

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// The oldest Synapse that the bot works with: device masquerading (MSC4326)
// and device creation (MSC4190) for every appservice.
const oldestSynapse = 141

// homeserver looks whether the homeserver answers, and whether it is new enough.
func homeserver(ctx context.Context, p *Patient) Finding {
	a, err := p.call(ctx, http.MethodGet, p.homeserver(), "/_matrix/client/versions", nil, false, nil)
	if err != nil {
		return problem(
			fmt.Sprintf("Nothing answers at homeserver.address (%s): %v.", p.homeserver(), err),
			"Start the homeserver, or set homeserver.address to where the bot reaches it.")
	}
	var versions struct {
		Versions []string `json:"versions"`
	}
	if a.status != http.StatusOK || a.into(&versions) != nil || len(versions.Versions) == 0 {
		return problem(
			fmt.Sprintf("What answers at homeserver.address (%s) is no homeserver: HTTP %d.", p.homeserver(), a.status),
			"Set homeserver.address to the client-server API, for example http://localhost:8008.")
	}
	name, version := p.software(ctx)
	if name == "Synapse" && tooOld(version) {
		return problem(
			fmt.Sprintf("The homeserver is Synapse %s; the bot needs 1.%d or newer.", version, oldestSynapse),
			"Upgrade Synapse.")
	}
	if name == "" {
		return ok(fmt.Sprintf("The homeserver at %s answers.", p.homeserver()))
	}
	return ok(fmt.Sprintf("The homeserver at %s is %s %s.", p.homeserver(), name, version))
}

// software asks the homeserver what it is (server-server API, "server
// version"); empty if it does not say.
func (p *Patient) software(ctx context.Context) (name, version string) {
	a, err := p.call(ctx, http.MethodGet, p.homeserver(), "/_matrix/federation/v1/version", nil, false, nil)
	var said struct {
		Server struct {
			Name    string `json:"name"`
			Version string `json:"version"`
		} `json:"server"`
	}
	if err == nil && a.status == http.StatusOK && a.into(&said) == nil {
		return said.Server.Name, said.Server.Version
	}
	// A port without federation: Synapse tells its version on the admin API too, to anybody.
	a, err = p.call(ctx, http.MethodGet, p.homeserver(), "/_synapse/admin/v1/server_version", nil, false, nil)
	var synapse struct {
		Version string `json:"server_version"`
	}
	if err != nil || a.status != http.StatusOK || a.into(&synapse) != nil || synapse.Version == "" {
		return "", ""
	}
	version, _, _ = strings.Cut(synapse.Version, " ") // behind it stands the commit
	return "Synapse", version
}

// isDendrite tells by its answers whether the homeserver is Dendrite, which wants
// other config lines and never asks newcomers for tokens.
func (p *Patient) isDendrite(ctx context.Context) bool {
	a, err := p.call(ctx, http.MethodGet, p.homeserver(), "/_dendrite/admin/registrationTokens", nil, false, nil)
	return err == nil && a.errcode == "M_MISSING_TOKEN"
}

var synapseVersion = regexp.MustCompile(`^1\.(\d+)`)

func tooOld(version string) bool {
	match := synapseVersion.FindStringSubmatch(version)
	if match == nil {
		return false
	}
	minor, err := strconv.Atoi(match[1])
	return err == nil && minor < oldestSynapse
}
