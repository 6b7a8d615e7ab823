//go:build e2e

package deploy

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/schema"
	"gopkg.in/yaml.v3"
)

// composeFile is what the tests look at in a compose file; its schema knows the rest.
type composeFile struct {
	Services map[string]struct {
		ReadOnly    bool     `yaml:"read_only"`
		Drop        []string `yaml:"cap_drop"`
		Volumes     []string
		Healthcheck any
		DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
	}
}

func readCompose(t *testing.T, path string) composeFile {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := yaml.Unmarshal(text, &whole); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if err := schema.Validate(whole); err != nil {
		t.Errorf("%s: %v", path, err)
	}
	var file composeFile
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return file
}

func TestTheComposeFilesKeepTheSpecification(t *testing.T) {
	paths, err := filepath.Glob(root + "/deploy/compose/*/compose.yaml")
	if err != nil || len(paths) != 2 {
		t.Fatalf("there are %d compose files, not 2 (%v)", len(paths), err)
	}
	built, err := image()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		bot := readCompose(t, path).Services["registration-bot"]
		if !bot.ReadOnly || !slices.Equal(bot.Drop, []string{"ALL"}) {
			t.Errorf("%s gives the bot more than it needs", path)
		}
		if len(bot.Volumes) != 1 || filepath.Base(bot.Volumes[0]) != filepath.Base(built.Volumes[0]) {
			t.Errorf("%s mounts %q, while the image wants %q", path, bot.Volumes, built.Volumes)
		}
	}
}

// Synapse waits for the bot's health check. That the bot is healthy without its
// homeserver is TestTheContainerStartsBeforeItsHomeserverAndServesIt.
func TestInTheComposeFileSynapseWaitsForTheBotAndNotTheOtherWayRound(t *testing.T) {
	services := readCompose(t, root+"/deploy/compose/server/compose.yaml").Services
	if got := services["synapse"].DependsOn["registration-bot"].Condition; got != "service_healthy" {
		t.Errorf("Synapse waits for the bot to be %q", got)
	}
	if services["registration-bot"].Healthcheck != nil {
		t.Error("the bot has another health check than the image's")
	}
	var waitsFor func(service string, seen ...string)
	waitsFor = func(service string, seen ...string) {
		if slices.Contains(seen, service) {
			t.Fatalf("%q wait for each other", seen)
		}
		for other := range services[service].DependsOn {
			if _, ok := services[other]; !ok {
				t.Errorf("%s waits for %s, which is not there", service, other)
			}
			waitsFor(other, append(slices.Clone(seen), service)...)
		}
	}
	for service := range services {
		waitsFor(service)
	}
}

func TestSynapseReadsTheRegistrationThatIsMounted(t *testing.T) {
	services := readCompose(t, root+"/deploy/compose/server/compose.yaml").Services
	text, err := os.ReadFile(root + "/deploy/compose/server/with-bot.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Registrations []string `yaml:"app_service_config_files"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	for _, path := range config.Registrations {
		if mount := "./registration-bot/registration.yaml:" + path + ":ro"; !slices.Contains(services["synapse"].Volumes, mount) {
			t.Errorf("Synapse reads %s, which is not mounted as %s", path, mount)
		}
	}
}
