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
	folder := name + fmt.Sprintf("-%x", sha256.Sum256([]byte(requirements)))[:13]
	venv, err := l.installOnce(ctx, name, folder, func(venv string) error {
		if _, err := exec.LookPath("python3"); err != nil {
			return errors.New("python3 is missing: apt-get install python3 python3-venv")
		}
		l.Announce("Installing %s into .cache (once; a minute at most)", name)
		if err := l.run(ctx, "python3", "-m", "venv", venv); err != nil {
			return fmt.Errorf("making a virtual environment (missing? apt-get install python3-venv): %w", err)
		}
		list := filepath.Join(venv, "requirements.txt")
		if err := os.WriteFile(list, []byte(requirements), 0o644); err != nil {
			return err
		}
		return l.run(ctx, filepath.Join(venv, "bin", "python"), "-m", "pip", "install",
			"--disable-pip-version-check", "--quiet", "--requirement", list)
	})
	return filepath.Join(venv, "bin"), err
}
