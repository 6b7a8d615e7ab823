package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/graph"
	"github.com/compose-spec/compose-go/v2/types"

	"matrix-registration-bot/e2e/lab"
)

// startService is what systemd runs: the stand-in itself, with the name of a service.
const startService = "compose start-service "

// patience is how long a service may take to be healthy.
const patience = 2 * time.Minute

// project is the compose file of the current folder.
type project struct {
	*types.Project
	setup lab.DockerSetup
}

func load(ctx context.Context, setup lab.DockerSetup) (*project, error) {
	options, err := cli.NewProjectOptions(nil, cli.WithWorkingDirectory("."), cli.WithOsEnv, cli.WithEnvFiles(), cli.WithDotEnv,
		cli.WithConfigFileEnv, cli.WithDefaultConfigPath, cli.WithResolvedPaths(true))
	if err != nil {
		return nil, err
	}
	loaded, err := options.LoadProject(ctx)
	if err != nil {
		return nil, err
	}
	return &project{loaded, setup}, nil
}

// up starts each service when those that it depends on are as it wants them, and
// waits until all are healthy.
func (p *project) up(ctx context.Context) error {
	err := graph.InDependencyOrder(ctx, p.Project, func(_ context.Context, name string, service types.ServiceConfig) error {
		for other, dependency := range service.DependsOn {
			if dependency.Condition != types.ServiceConditionHealthy {
				return fmt.Errorf("the stand-in does not know the condition %s", dependency.Condition)
			}
			if err := p.healthy(other); err != nil {
				return fmt.Errorf("%s waits for %s: %w", name, other, err)
			}
		}
		return p.launch(service)
	}, graph.WithMaxConcurrency(1))
	for name := range p.Services {
		if err == nil {
			err = p.healthy(name)
		}
	}
	return err
}

// launch has systemd start a service. One that runs goes on, unless its image is
// another now.
func (p *project) launch(service types.ServiceConfig) error {
	image, err := imageOf(service)
	if err != nil {
		return err
	}
	if active(image.unit) {
		if show(image.unit, "Description") == image.id {
			return nil
		}
		if err := command("systemctl", "stop", image.unit).Run(); err != nil {
			return err
		}
	}
	if err := makeBinds(service); err != nil {
		return err
	}
	if service.Restart != types.RestartPolicyUnlessStopped {
		return fmt.Errorf("the stand-in does not know restart: %s", service.Restart)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return command("systemd-run", "--quiet", "--collect", "--unit="+image.unit, "--description="+image.id,
		"--working-directory="+p.WorkingDir, "--property=Restart=always", "--property=RestartSec=1",
		self, "compose", "start-service", service.Name).Run()
}

// healthy waits until a service is. One that ends meanwhile is not.
func (p *project) healthy(name string) error {
	service := p.Services[name]
	image, err := imageOf(service)
	if err != nil {
		return err
	}
	check := map[string][]string{botImage: p.setup.Bot.Healthcheck, synapseImage: synapseHealthcheck}[image.unit]
	if service.HealthCheck != nil {
		if len(service.HealthCheck.Test) == 0 || service.HealthCheck.Test[0] != "CMD" {
			return errors.New("the stand-in only knows health checks by CMD")
		}
		check = service.HealthCheck.Test[1:]
	}
	inside, err := p.inside(service, check)
	if err != nil {
		return err
	}
	problem := errors.New("its container has ended")
	for end := time.Now().Add(patience); show(image.unit, "NRestarts") == "0"; time.Sleep(100 * time.Millisecond) {
		said, err := exec.Command(inside[0], inside[1:]...).CombinedOutput()
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			problem = fmt.Errorf("it is not healthy: %w: %s", err, said)
			break
		}
	}
	said, _ := exec.Command("journalctl", "--no-pager", "--lines=40", "--output=cat", "--unit="+image.unit).CombinedOutput()
	return fmt.Errorf("%w\n%s", problem, said)
}

// run runs a service's image with other arguments, in a container of its own.
func (p *project) run(words []string) error {
	service, err := p.service(words)
	if err != nil {
		return err
	}
	if err := makeBinds(service); err != nil {
		return err
	}
	inside, err := p.withEntrypoint(service, words[1:])
	if err != nil {
		return err
	}
	return replaceBy(inside)
}

// runAlone is run for a service that depends on no other.
func (p *project) runAlone(words []string) error {
	service, err := p.service(words)
	if err == nil && len(service.DependsOn) > 0 {
		err = errors.New("the stand-in starts no services for compose run: --no-deps is missing")
	}
	if err != nil {
		return err
	}
	return p.run(words)
}

// exec runs a command in the container of a service that runs.
func (p *project) exec(words []string) error {
	service, err := p.service(words)
	if err != nil {
		return err
	}
	image, err := imageOf(service)
	if err != nil {
		return err
	}
	if !active(image.unit) {
		return fmt.Errorf("service %q is not running", words[0])
	}
	inside, err := p.inside(service, words[1:])
	if err != nil {
		return err
	}
	return replaceBy(inside)
}

// start becomes the process of a service.
func (p *project) start(name string) error {
	service, err := p.service([]string{name})
	if err != nil {
		return err
	}
	inside, err := p.withEntrypoint(service, service.Command)
	if err != nil {
		return err
	}
	return replaceBy(inside)
}

func (p *project) service(words []string) (types.ServiceConfig, error) {
	if len(words) == 0 {
		return types.ServiceConfig{}, errors.New("no service is named")
	}
	return p.GetService(words[0])
}

// makeBinds makes what is missing of the folders that a service binds. Docker can't
// know whether a file is meant.
func makeBinds(service types.ServiceConfig) error {
	for _, volume := range service.Volumes {
		if volume.Type != types.VolumeTypeBind {
			return fmt.Errorf("the stand-in does not know volumes of type %s", volume.Type)
		}
		if _, err := os.Stat(volume.Source); errors.Is(err, os.ErrNotExist) && bool(volume.Bind.CreateHostPath) {
			if err := os.MkdirAll(volume.Source, 0o755); err != nil {
				return err
			}
		}
	}
	return nil
}

// show returns a property of a unit.
func show(unit, property string) string {
	value, _ := exec.Command("systemctl", "show", "--property="+property, "--value", unit).Output()
	return strings.TrimSpace(string(value))
}

func active(unit string) bool {
	return exec.Command("systemctl", "is-active", "--quiet", unit).Run() == nil
}

// command is one whose words people see.
func command(name string, arguments ...string) *exec.Cmd {
	cmd := exec.Command(name, arguments...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd
}

func replaceBy(words []string) error {
	program, err := exec.LookPath(words[0])
	if err != nil {
		return err
	}
	return syscall.Exec(program, words, os.Environ())
}
