package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// Program finds a program of this machine, and installs the Debian package that
// it comes from if it is missing.
func (l *Lab) Program(ctx context.Context, name, debianPackage string) (path string, err error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	l.Announce("Installing %s by apt-get (once)", debianPackage)
	if err := l.installDebian(ctx, "apt-get update && apt-get install -y --no-install-recommends "+debianPackage); err != nil {
		return "", fmt.Errorf("%s is missing (apt-get install %s), and installing it failed: %w", name, debianPackage, err)
	}
	return exec.LookPath(name)
}

// installDebian runs a shell script as root that installs packages.
func (l *Lab) installDebian(ctx context.Context, script string) error {
	shell := []string{"sh", "-c", "set -e\nexport DEBIAN_FRONTEND=noninteractive\n" + script}
	if os.Geteuid() != 0 {
		shell = append([]string{"sudo", "--non-interactive"}, shell...)
	}
	return l.run(ctx, shell[0], shell[1:]...)
}
