// Command docker stands in for Docker where there is none, in a throwaway machine
// (lab.Machine): it knows the commands that the guides give, reads compose files
// as Compose itself does, and starts by systemd what would run in containers.
// Nothing is pulled: images.go says what stands for an image.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"matrix-registration-bot/e2e/lab"
)

// kept is where the stand-in keeps images and networks.
const kept = "/var/lib/docker-stand-in"

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "docker:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	content, err := os.ReadFile(lab.DockerSetupFile)
	if err != nil {
		return err
	}
	var setup lab.DockerSetup
	if err := json.Unmarshal(content, &setup); err != nil {
		return err
	}
	command := strings.Join(arguments, " ")
	rest := func(words int) []string { return arguments[min(words, len(arguments)):] }
	switch {
	case command == startLoopback:
		return loopback()
	case strings.HasPrefix(command, "build --tag ") && len(arguments) == 4:
		return build(setup, arguments[2], arguments[3])
	case !strings.HasPrefix(command, "compose "):
		return errors.New("the stand-in does not know this command")
	}
	project, err := load(ctx, setup)
	if err != nil {
		return err
	}
	switch {
	case command == "compose up --wait":
		return project.up(ctx)
	case strings.HasPrefix(command, "compose run --rm --no-deps "):
		return project.run(rest(4))
	case strings.HasPrefix(command, "compose run --rm "):
		return project.runAlone(rest(3))
	case strings.HasPrefix(command, "compose exec "):
		return project.exec(rest(2))
	case strings.HasPrefix(command, startService):
		return project.start(arguments[len(arguments)-1])
	}
	return errors.New("the stand-in does not know this command")
}

// build keeps a copy of the image that the lab has made from the Dockerfile, with
// the names of containers that an engine would put into each.
func build(setup lab.DockerSetup, name, folder string) error {
	if _, err := os.Stat(filepath.Join(folder, "Dockerfile")); err != nil {
		return err
	}
	if name != botImage {
		return fmt.Errorf("the stand-in has no Dockerfile but that of %s", botImage)
	}
	if err := os.MkdirAll(kept, 0o755); err != nil {
		return err
	}
	image, err := os.MkdirTemp(kept, name+"-")
	if err != nil {
		return err
	}
	if err := os.Chmod(image, 0o755); err != nil {
		return err
	}
	if err := os.CopyFS(image, os.DirFS(setup.Bot.Root)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(image, "etc/hosts"), []byte(hosts), 0o644); err != nil {
		return err
	}
	tag := filepath.Join(kept, name)
	if err := os.Remove(tag); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(image, tag)
}
