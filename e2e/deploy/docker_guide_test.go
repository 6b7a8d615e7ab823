//go:build e2e

package deploy

import (
	"context"
	"maps"
	"testing"

	"matrix-registration-bot/e2e/lab"
)

// newDockerReader makes a machine with a stand-in for Docker, in which the bot
// logs all that it can.
func newDockerReader(t *testing.T, name string, followed map[block]bool) *reader {
	t.Helper()
	built, err := image()
	if err != nil {
		t.Fatal(err)
	}
	loud := *built
	loud.Environment = maps.Clone(built.Environment)
	loud.Environment["LOGGING_LEVEL"] = "debug"
	r := newReader(t, name, followed)
	r.must(laboratory.InstallDocker(t.Context(), r.machine, &loud))
	return r
}

func followsDocker(t *testing.T, followed map[block]bool) {
	const page = "docs/install/docker.md"
	r := newDockerReader(t, "docker-synapse", followed)
	r.follow(page, "")
	r.follow(page, "Beside a homeserver on this machine")
	learnSecrets(t, r.machine, "docker-secrets", `"$(cat /run/where)"/data`)
	createsAToken(t, r.Synapse, inMachine{r.machine})

	r.cd("/srv/reader/matrix-registration-bot")
	before := in(t, r.machine, "systemctl show -P MainPID matrix-registration-bot")
	r.follow("docs/install/upgrading.md", "Container")
	if after := in(t, r.machine, "systemctl show -P MainPID matrix-registration-bot"); after == before {
		t.Error("the bot was not restarted by the upgrade")
	}
	r.must(r.machine.Until(t.Context(), "the upgraded bot is well", func(ctx context.Context) error {
		_, err := r.machine.Run(ctx, `cd "$(cat /run/where)"; docker compose exec registration-bot /usr/bin/matrix-registration-bot doctor`)
		return err
	}))
	in(t, r.machine, "systemctl stop matrix-registration-bot")

	r.followsWholeServer(page)
}

// followsWholeServer goes on where the image is built: with another Synapse, which
// runs in a container, and with its own names and ports.
func (r *reader) followsWholeServer(page string) {
	const section = "A whole server"
	r.cd("/srv/reader/matrix-registration-bot")
	published, err := laboratory.Published(r.machine, 8008)
	r.must(err)
	r.Synapse, r.replace = published, exampleIsLab
	r.follow(page, section, "docker compose up")
	learnSecrets(r.T, r.machine, "server-secrets", `"$(cat /run/where)"/registration-bot`)
	r.follow(page, section, "register_new_matrix_user")
	var you *lab.Person
	r.must(r.machine.Until(r.Context(), "you can log in", func(ctx context.Context) (err error) {
		you, err = r.LogIn(ctx, r.UserID("you"), password)
		return err
	}))
	r.AdministeredBy(you)
	r.follow(page, section, "grant-admin")
	asksForAToken(r.T, r.Synapse, you, inMachine{r.machine})
}
