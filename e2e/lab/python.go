package lab

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

//go:embed requirements.txt
var synapseRequirements string

// installSynapse returns a Python interpreter that has Synapse.
func (l *Lab) installSynapse(ctx context.Context) (python string, err error) {
	programs, err := l.InstallPython(ctx, "synapse", synapseRequirements)
	return filepath.Join(programs, "python"), err
}

// InstallPython returns the folder with the programs of Python packages: of a
// virtual environment in the repository's .cache, made when there is none for
// just these requirements. Of two labs at the same time one installs and the
// other waits.
func (l *Lab) InstallPython(ctx context.Context, name, requirements string) (programs string, err error) {
	venv := filepath.Join(l.root, ".cache", name+fmt.Sprintf("-%x", sha256.Sum256([]byte(requirements)))[:13])
	programs = filepath.Join(venv, "bin")
	finished := filepath.Join(venv, "finished")

	if err := os.MkdirAll(filepath.Dir(venv), 0o755); err != nil {
		return "", fmt.Errorf("installing %s: %w", name, err)
	}
	lock := flock.New(venv + ".lock")
	if _, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil {
		return "", fmt.Errorf("waiting for another lab to install %s: %w", name, err)
	}
	defer func() { _ = lock.Unlock() }()
	if _, err := os.Stat(finished); err == nil {
		return programs, nil
	}

	if _, err := exec.LookPath("python3"); err != nil {
		return "", errors.New("python3 is missing: apt-get install python3 python3-venv")
	}
	l.Announce("Installing %s into .cache (once; a minute at most)", name)
	if err := os.RemoveAll(venv); err != nil {
		return "", fmt.Errorf("installing %s: %w", name, err)
	}
	if err := l.run(ctx, "python3", "-m", "venv", venv); err != nil {
		return "", fmt.Errorf("making a virtual environment (missing? apt-get install python3-venv): %w", err)
	}
	list := filepath.Join(venv, "requirements.txt")
	if err := os.WriteFile(list, []byte(requirements), 0o644); err != nil {
		return "", fmt.Errorf("installing %s: %w", name, err)
	}
	err = l.run(ctx, filepath.Join(programs, "python"), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", "--requirement", list)
	if err != nil {
		return "", fmt.Errorf("installing %s: %w", name, err)
	}
	if err := os.WriteFile(finished, nil, 0o644); err != nil {
		return "", fmt.Errorf("installing %s: %w", name, err)
	}
	return programs, nil
}
