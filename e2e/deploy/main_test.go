//go:build e2e

// Package deploy tests how the bot is installed and run for real: the container
// image, the compose files, the systemd unit, the packages, the release and the
// guides for admins.
package deploy

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"matrix-registration-bot/e2e/lab"
)

// root is the repository.
const root = "../.."

// laboratory is opened by TestMain.
var laboratory *lab.Lab

func TestMain(m *testing.M) {
	os.Exit(lab.Main(func(_ context.Context, l *lab.Lab) error {
		laboratory = l
		return nil
	}, m.Run))
}

// image is what the Dockerfile describes, made once.
var image = sync.OnceValues(func() (*lab.Image, error) { return laboratory.BuildImage(context.Background()) })

// installed returns where a program of this machine is, and installs the Debian
// package that it comes from if it is missing. A machine that is to have it, too,
// is started afterwards.
func installed(t *testing.T, name, debianPackage string) (path string) {
	t.Helper()
	path, err := laboratory.Program(t.Context(), name, debianPackage)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// output runs a command that must succeed and returns what it printed.
func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out)
}
