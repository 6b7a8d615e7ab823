//go:build e2e

package deploy

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestTheAnsibleRoleHasNoComplaintsOfTheLinters(t *testing.T) {
	folder := playbookFolder(t)
	output(t, ansibleCommand(t, folder, "yamllint", "--strict", "."))
	output(t, ansibleCommand(t, folder, "ansible-lint"))
}

func TestTheAnsibleRoleSetsUpABotThatMakesTokens(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { setsUpABot(t, newPlaybook(t, "ansible-sqlite"), nil) })
	t.Run("postgres", func(t *testing.T) {
		postgres, err := laboratory.StartPostgres(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		const name = "matrix_bot_registration"
		uri, err := postgres.NewDatabase(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		address, err := url.Parse(uri)
		if err != nil {
			t.Fatal(err)
		}
		password, _ := address.User.Password()
		p := newPlaybook(t, "ansible-postgres")
		p.set("postgres_enabled", true)
		p.set("matrix_bot_registration_database_port", address.Port())
		p.set("matrix_bot_registration_database_username", address.User.Username())
		p.set("matrix_bot_registration_database_password", password)
		setsUpABot(t, p, []database{{name, address.User.Username(), password}})
	})
}

// setsUpABot runs the role twice, and the bot as the role's unit would.
func setsUpABot(t *testing.T, p *playbook, databases []database) {
	ctx := t.Context()
	port, err := laboratory.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Base(p.base)
	registration := filepath.Join(p.base, "registration-bot/config/registration.yaml")
	synapse, err := laboratory.NewSynapse(ctx, name+"-synapse", registration)
	if err != nil {
		t.Fatal(err)
	}
	p.set("matrix_addons_homeserver_client_api_url", synapse.URL)
	p.set("matrix_bot_registration_config_appservice_port", port)
	p.set("matrix_bot_registration_config_logging_level", "debug")
	p.set("matrix_bot_registration_appservice_url", fmt.Sprintf("http://127.0.0.1:%d", port))

	p.run(t)
	tells := p.wiring(t)
	if want := []service{{"matrix-bot-registration.service", true}}; !slices.Equal(tells.Services, want) {
		t.Errorf("the playbook starts %+v, not %+v", tells.Services, want)
	}
	if !slices.Equal(tells.Databases, databases) {
		t.Errorf("the playbook makes the databases %+v, not %+v", tells.Databases, databases)
	}
	mount := "--mount type=bind,src=" + registration + ",dst=" + strings.Join(tells.HomeserverRegistrations, " and ") + ",ro"
	if !slices.Equal(tells.HomeserverArguments, []string{mount}) {
		t.Errorf("the homeserver gets %q, not %q", tells.HomeserverArguments, mount)
	}
	if out := p.run(t); !strings.Contains(out, " changed=0 ") {
		t.Errorf("the second run changes something:\n%s", out)
	}
	if again := p.wiring(t).Services; len(again) != 1 || again[0].RestartNecessary {
		t.Errorf("after a run that changes nothing the playbook starts %+v", again)
	}

	if err := laboratory.LearnSecrets(filepath.Dir(registration)); err != nil {
		t.Fatal(err)
	}
	if err := synapse.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := synapse.Appoint(ctx); err != nil {
		t.Fatal(err)
	}
	container := p.container(t)
	bot, err := laboratory.Launch(name+"-bot", container.Run())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.base, "registration-bot/data/access-token"), []byte(synapse.AccessToken()), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := bot.Until(ctx, "the bot has an account", func(ctx context.Context) error {
		return synapse.Exists(ctx, synapse.UserID("registration-bot"))
	}); err != nil {
		t.Fatal(err)
	}
	p.follow(t, container, "Make the bot a server admin")
	createsAToken(t, synapse, bot)
	p.follow(t, container, "Troubleshooting")
	output(t, container.Healthcheck())
	mustBePowerless(t, bot.Inside())
	if err := bot.Stop(); err != nil {
		t.Errorf("the bot ended with %v after SIGTERM:\n%s", err, bot.Log())
	}
}

func TestTheAnsibleRoleMakesTheBotAClientOfMAS(t *testing.T) {
	p := newPlaybook(t, "ansible-mas")
	p.set("matrix_addons_homeserver_client_api_url", "http://127.0.0.1:1")
	p.set("matrix_authentication_service_enabled", true)
	p.set("matrix_authentication_service_configuration_extension_yaml", "policy: {data: {admin_clients: [another]}}\nother: stays\n")
	p.run(t)

	var config struct {
		API struct {
			Type    string
			BaseURL string `yaml:"base_url"`
			Issuer  string
			ID      string `yaml:"client_id"`
			Secret  string `yaml:"client_secret"`
		}
	}
	if err := yaml.Unmarshal([]byte(p.read(t, "registration-bot/config/config.yaml")), &config); err != nil {
		t.Fatal(err)
	}
	if api := config.API; api.Type != "mas" || api.BaseURL != api.Issuer || api.Issuer != "http://matrix-authentication-service:8080/" {
		t.Errorf("the bot looks for MAS by %+v", api)
	}
	tells := p.wiring(t)
	if want := []masClient{{config.API.ID, config.API.Secret}}; !slices.Equal(tells.MASClients, want) || config.API.Secret == "" {
		t.Errorf("MAS knows the clients %+v, not %+v", tells.MASClients, want)
	}
	if admins := tells.MASExtension.Policy.Data.AdminClients; !slices.Contains(admins, config.API.ID) || !slices.Contains(admins, "another") {
		t.Errorf("MAS lets %q use its admin API", admins)
	}
	if !tells.MASAdminAPI || tells.MASExtension.Other != "stays" {
		t.Errorf("MAS gets %+v and %+v", tells.MASAdminAPI, tells.MASExtension)
	}
	mustEndWith(t, p.container(t).Run("doctor"), 1) // the config is fine; no server is there
}

func TestTheAnsibleRoleBuildsTheImageFromTheRepository(t *testing.T) {
	repository := t.TempDir()
	output(t, exec.Command("cp", root+"/Dockerfile", repository))
	for _, arguments := range [][]string{{"init", "--quiet"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "first"}, {"tag", "v1"}} {
		output(t, exec.Command("git", append([]string{"-C", repository}, arguments...)...))
	}
	p := newPlaybook(t, "ansible-built")
	p.set("matrix_addons_homeserver_client_api_url", "http://127.0.0.1:1")
	p.set("matrix_bot_registration_container_image_self_build", true)
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	p.set("matrix_user_name", me.Username) // git works as this user
	p.refuse(t, "matrix_bot_registration_container_image_self_build_repo")
	p.set("matrix_bot_registration_container_image_self_build_repo", repository)
	p.set("matrix_bot_registration_version", "v1")
	p.run(t)
	if unit := p.read(t, "systemd/matrix-bot-registration.service"); !strings.Contains(unit, "localhost/matrix-registration-bot:v1\n") {
		t.Errorf("the unit runs another image than the one that was built:\n%s", unit)
	}
	if out := p.run(t); !strings.Contains(out, " changed=0 ") {
		t.Errorf("the second run changes something:\n%s", out)
	}
}

// standsStill is a docker whose containers do nothing.
const standsStill = `#!/bin/sh
test "$1" != start || exec sleep infinity
`

func TestTheAnsibleRoleUninstallsTheBot(t *testing.T) {
	m := machine(t)
	p := newPlaybook(t, "ansible-uninstalled")
	p.machine = m
	p.set("matrix_addons_homeserver_client_api_url", "http://127.0.0.1:1")
	p.set("devture_systemd_docker_base_systemd_path", "/etc/systemd/system")
	p.set("devture_systemd_docker_base_docker_service_name", "")
	in(t, m, "cat > /usr/local/bin/docker <<'END'\n"+standsStill+"END\nchmod +x /usr/local/bin/docker")
	p.run(t)
	in(t, m, "systemctl daemon-reload; systemctl enable --now matrix-bot-registration; systemctl is-active matrix-bot-registration")

	p.set("matrix_bot_registration_enabled", false)
	p.run(t)
	if left := in(t, m, `systemctl is-active matrix-bot-registration | grep -v inactive || true
		ls -d `+p.base+`/registration-bot /etc/systemd/system/{,multi-user.target.wants/}matrix-bot-registration.service 2>/dev/null || true`); left != "" {
		t.Errorf("after uninstalling there still is\n%s", left)
	}
	if tells := p.wiring(t); len(tells.Services)+len(tells.Databases)+len(tells.HomeserverArguments)+len(tells.HomeserverRegistrations)+len(tells.ManagedUsers) > 0 {
		t.Errorf("after uninstalling other roles still get %+v", tells)
	}
	if out := p.run(t); !strings.Contains(out, " changed=0 ") {
		t.Errorf("uninstalling again changes something:\n%s", out)
	}
}

func TestTheAnsibleRoleRefusesWhatCannotWork(t *testing.T) {
	for reason, variables := range map[string][2]any{
		"Nobody is admin of the registration bot":              {"matrix_admin", ""},
		"can only be postgres or sqlite":                       {"matrix_bot_registration_database_engine", "mysql"},
		"must not be the bot's own user":                       {"matrix_bot_registration_appservice_sender_localpart", "registration-bot"},
		"`matrix_bot_registration_appservice_token` must have": {"matrix_bot_registration_appservice_token", ""},
	} {
		t.Run(reason, func(t *testing.T) {
			p := newPlaybook(t, strings.ReplaceAll("ansible-"+variables[0].(string), "_", "-"))
			p.set("matrix_addons_homeserver_client_api_url", "http://127.0.0.1:1")
			p.set(variables[0].(string), variables[1])
			p.refuse(t, reason)
		})
	}
}

// variable is one of the role's, as the pages name it.
var variable = regexp.MustCompile(`\bmatrix_bot_registration_\w+`)

// The settings of all blocks together; later ones win, so the image comes from a registry.
func TestWhatTheAnsiblePagesSetIsUnderstood(t *testing.T) {
	text, err := os.ReadFile(root + "/deploy/ansible/roles/custom/matrix-bot-registration/defaults/main.yml")
	if err != nil {
		t.Fatal(err)
	}
	var defaults map[string]any
	if err := yaml.Unmarshal(text, &defaults); err != nil {
		t.Fatal(err)
	}
	p := newPlaybook(t, "ansible-pages")
	p.set("matrix_addons_homeserver_client_api_url", "http://127.0.0.1:1")
	for _, path := range []string{ansiblePage, playbookPage} {
		page, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range variable.FindAllString(string(page), -1) {
			if _, ok := defaults[name]; !ok {
				t.Errorf("%s names %s, which the role does not have", path, name)
			}
		}
		for _, b := range blocksOf(t, path) {
			if b.language != "yaml" {
				continue
			}
			var variables map[string]any
			if err := yaml.Unmarshal([]byte(b.text), &variables); err != nil {
				t.Fatalf("%s, %q: %v", b.page, b.heading, err)
			}
			maps.Copy(p.variables, variables)
		}
	}
	p.run(t)
	mustEndWith(t, p.container(t).Run("doctor"), 1) // the config is fine; no server is there
	config := p.read(t, "registration-bot/config/config.yaml")
	for _, part := range []string{"lab.test: none", "'@alice:example.com': admin", "'@bob:example.com': manager", "uses: 3", "username: bot.matrix-registration-bot"} {
		if !strings.Contains(config, part) {
			t.Errorf("there is no %q in the config:\n%s", part, config)
		}
	}
}
