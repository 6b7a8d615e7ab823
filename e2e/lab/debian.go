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

// unpackDebian returns the folder with the files of a Debian package, which is
// not installed: nothing of it starts by itself.
func (l *Lab) unpackDebian(ctx context.Context, debianPackage string) (dir string, err error) {
	return l.installOnce(ctx, debianPackage, "debian-"+debianPackage, func(dir string) error {
		l.Announce("Unpacking %s from Debian into .cache (once)", debianPackage)
		if err := l.installDebian(ctx, "apt-get update"); err != nil {
			return err
		}
		return l.run(ctx, "sh", "-c", `set -e
mkdir -p "$1"
cd "$1"
apt-get download "$2"
dpkg-deb --extract ./*.deb .
rm ./*.deb`, "sh", dir, debianPackage)
	})
}

// installDebian runs a shell script as root that installs packages.
func (l *Lab) installDebian(ctx context.Context, script string) error {
	shell := []string{"sh", "-c", "set -e\nexport DEBIAN_FRONTEND=noninteractive\n" + script}
	if os.Geteuid() != 0 {
		shell = append([]string{"sudo", "--non-interactive"}, shell...)
	}
	return l.run(ctx, shell[0], shell[1:]...)
}
