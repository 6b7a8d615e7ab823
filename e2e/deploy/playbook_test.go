//go:build e2e

package deploy

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"matrix-registration-bot/e2e/lab"
)

//go:embed ansible.txt
var ansible string

// playbook is a folder with what the role needs of matrix-docker-ansible-deploy,
// the role and its wiring, and what an admin adds to it.
type playbook struct {
	folder    string
	base      string         // matrix_base_data_path: what the role makes is in here
	variables map[string]any // the admin's vars.yml
	machine   *lab.Machine   // where it runs; nil: on this machine
}

// newPlaybook makes one whose bot is enabled and has its image from a registry.
// Files belong to the image's user, if we may do that.
func newPlaybook(t *testing.T, name string) *playbook {
	t.Helper()
	base, err := laboratory.Folder(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(base, "systemd"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := &playbook{folder: playbookFolder(t), base: base, variables: map[string]any{
		"matrix_base_data_path":                                            base,
		"matrix_bot_registration_enabled":                                  true,
		"matrix_bot_registration_container_image_self_build":               false,
		"matrix_bot_registration_container_image_registry_prefix_upstream": "registry.test/",
	}}
	if err := os.CopyFS(p.folder, os.DirFS("ansible")); err != nil {
		t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	p.set("matrix_user_name", me.Username)
	p.set("matrix_user_uid", me.Uid)
	p.set("matrix_user_gid", me.Gid)
	p.set("matrix_group_name", me.Gid)
	if me.Uid == "0" {
		for _, name := range []string{"user_name", "user_uid", "user_gid", "group_name"} {
			p.set("matrix_"+name, "65532")
		}
	}
	return p
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

// set changes the admin's vars.yml.
func (p *playbook) set(name string, value any) { p.variables[name] = value }

// run runs the playbook, which must succeed, and returns what it printed.
func (p *playbook) run(t *testing.T) string {
	t.Helper()
	return output(t, p.command(t))
}

// refuse runs the playbook, which must fail and give this reason.
func (p *playbook) refuse(t *testing.T, reason string) {
	t.Helper()
	if out, err := p.command(t).CombinedOutput(); err == nil || !strings.Contains(string(out), reason) {
		t.Errorf("the playbook ended with %v, and does not say %q:\n%s", err, reason, out)
	}
}

func (p *playbook) command(t *testing.T) *exec.Cmd {
	t.Helper()
	variables, err := yaml.Marshal(p.variables)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"vars.yml": string(variables),
		"hosts":    "localhost ansible_python_interpreter='{{ ansible_playbook_python }}'\n",
	} {
		if err := os.WriteFile(filepath.Join(p.folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := ansibleCommand(t, p.folder, "ansible-playbook", "--inventory", "hosts", "playbook.yml")
	if p.machine == nil {
		return cmd
	}
	copied := filepath.Join(p.base, "playbook") // p.folder is not there
	output(t, exec.Command("cp", "-rT", p.folder, copied))
	python := filepath.Join(filepath.Dir(cmd.Path), "python")
	return p.machine.Command(t.Context(), fmt.Sprintf("cd %s; env ANSIBLE_ROLES_PATH=roles ANSIBLE_COLLECTIONS_PATH=collections ANSIBLE_NOCOLOR=1 %s %s",
		copied, python, strings.Join(cmd.Args, " ")))
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
		"ANSIBLE_ROLES_PATH="+filepath.Join(folder, "roles"),
		"ANSIBLE_COLLECTIONS_PATH="+filepath.Join(folder, "collections"),
		"ANSIBLE_NOCOLOR=1",
		"LC_ALL=C.UTF-8",
	)
	return cmd
}

// read returns the text of a file that the role has made.
func (p *playbook) read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.base, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wiring is what other roles get.
type wiring struct {
	HomeserverArguments     []string `json:"homeserver_arguments"`
	HomeserverRegistrations []string `json:"homeserver_registrations"`
	Services                []service
	Databases               []database
	ManagedUsers            []string      `json:"managed_users"`
	MASAdminAPI             bool          `json:"mas_admin_api"`
	MASClients              []masClient   `json:"mas_clients"`
	MASExtension            *masExtension `json:"mas_extension"`
}

type service struct {
	Name             string
	RestartNecessary bool `json:"restart_necessary"`
}

type database struct{ Name, Username, Password string }

type masClient struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

type masExtension struct {
	Policy struct {
		Data struct {
			AdminClients []string `json:"admin_clients"`
		}
	}
	Other string
}

// wiring returns what the last run told other roles.
func (p *playbook) wiring(t *testing.T) wiring {
	t.Helper()
	var w wiring
	if err := json.Unmarshal([]byte(p.read(t, "wiring.json")), &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// container is the one that the unit makes.
func (p *playbook) container(t *testing.T) *lab.Container {
	t.Helper()
	built, err := image()
	if err != nil {
		t.Fatal(err)
	}
	unit := strings.ReplaceAll(p.read(t, "systemd/matrix-bot-registration.service"), "\\\n", "")
	_, arguments, ok := strings.Cut(unit, "docker create ")
	if !ok {
		t.Fatalf("the unit makes no container:\n%s", unit)
	}
	arguments, _, _ = strings.Cut(arguments, "\n")
	container, err := lab.DockerCreate(built, strings.Fields(arguments))
	if err != nil {
		t.Fatal(err)
	}
	return container
}
