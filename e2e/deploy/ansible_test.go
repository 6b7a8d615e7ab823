//go:build e2e

package deploy

import (
	_ "embed"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

//go:embed ansible.txt
var ansible string

func TestTheAnsibleRoleHasNoComplaintsOfTheLinters(t *testing.T) {
	playbook := playbookFolder(t)
	output(t, ansibleCommand(t, playbook, "yamllint", "--strict", "."))
	output(t, ansibleCommand(t, playbook, "ansible-lint"))
}

// playbookFolder makes a folder with all that is in deploy/ansible, where it
// belongs in the playbook.
func playbookFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(root+"/deploy/ansible")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(folder, "wiring/setup.yml"), filepath.Join(folder, "setup.yml")); err != nil {
		t.Fatal(err)
	}
	return folder
}

// ansibleCommand is one of the programs that come with Ansible, to be run in a folder.
func ansibleCommand(t *testing.T, folder, name string, arguments ...string) *exec.Cmd {
	t.Helper()
	programs, err := laboratory.InstallPython(t.Context(), "ansible", ansible)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(programs, name), arguments...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(),
		"PATH="+programs+string(filepath.ListSeparator)+os.Getenv("PATH"), // ansible-lint calls the others
		"ANSIBLE_HOME="+filepath.Join(folder, ".ansible"),
		"LC_ALL=C.UTF-8",
	)
	return cmd
}
