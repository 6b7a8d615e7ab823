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

// The pages on Ansible: of this repository, and the one that goes into the playbook.
const (
	ansiblePage  = "docs/install/ansible.md"
	playbookPage = "deploy/ansible/docs/configuring-playbook-bot-registration.md"
)

// playbook is a folder with what the role needs of matrix-docker-ansible-deploy,
// and what the pages tell an admin to add to it.
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
	p := &playbook{folder: preparedPlaybook(t), base: base, variables: map[string]any{
		"matrix_base_data_path":                                            base,
		"matrix_bot_registration_enabled":                                  true,
		"matrix_bot_registration_container_image_self_build":               false,
		"matrix_bot_registration_container_image_registry_prefix_upstream": "registry.test/",
	}}
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

// preparedPlaybook makes a folder with a playbook to which the role was added as the
// page says.
func preparedPlaybook(t *testing.T) string {
	t.Helper()
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	parent := t.TempDir()
	if err := os.Symlink(repository, filepath.Join(parent, "matrix-registration-bot")); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(parent, "playbook")
	for _, part := range []string{"docs", "inventory", "roles/custom"} {
		if err := os.MkdirAll(filepath.Join(folder, part), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(folder, os.DirFS("ansible")); err != nil {
		t.Fatal(err)
	}
	output(t, ansibleCommand(t, folder, "bash", "-euc", script(t, ansiblePage, "")))
	if err := os.CopyFS(filepath.Join(folder, "wiring"), os.DirFS(root+"/deploy/ansible/wiring")); err != nil {
		t.Fatal(err)
	}
	return folder
}

// script is the shell block under a heading of a page.
func script(t *testing.T, page, heading string) string {
	t.Helper()
	for _, b := range blocksOf(t, page) {
		if b.heading == heading && b.language == "sh" {
			return b.text
		}
	}
	t.Fatalf("%s has no shell block under %q", page, heading)
	return ""
}

// playbookFolder makes a folder with all that is in deploy/ansible, where it
// belongs in the playbook: for the linters.
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
		"vars.yml":        string(variables),
		"inventory/hosts": "localhost ansible_python_interpreter='{{ ansible_playbook_python }}'\n",
	} {
		if err := os.WriteFile(filepath.Join(p.folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	block := script(t, playbookPage, "Installing")
	if p.machine == nil {
		return ansibleCommand(t, p.folder, "bash", "-euc", block)
	}
	copied := filepath.Join(p.base, "playbook") // p.folder is not there
	output(t, exec.Command("cp", "-rT", p.folder, copied))
	return p.machine.Command(t.Context(), fmt.Sprintf(`cd %s
		export ANSIBLE_ROLES_PATH=roles ANSIBLE_COLLECTIONS_PATH=collections ANSIBLE_NOCOLOR=1
		ansible-playbook() { %[2]s/python %[2]s/ansible-playbook "$@"; }
		%[3]s`, copied, ansiblePrograms(t), block))
}

// follow does what the page says under a heading on the server, with a stand-in for
// Docker that enters the container of the unit.
func (p *playbook) follow(t *testing.T, container *lab.Container, heading string) {
	t.Helper()
	enter := container.Enter()
	words := enter.Args
	if as := enter.SysProcAttr.Credential; as != nil {
		words = append([]string{"setpriv", "--reuid", fmt.Sprint(as.Uid), "--regid", fmt.Sprint(as.Gid), "--clear-groups"}, words...)
	}
	programs := t.TempDir()
	standIn := "#!/bin/sh\nset -eu\ntest \"$1 $2\" = 'exec matrix-bot-registration'\nshift 2\nexec " + strings.Join(words, " ") + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(programs, "docker"), []byte(standIn), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-euc", strings.NewReplacer(
		"/matrix/", p.base+"/", "chown matrix:", fmt.Sprintf("chown %s:%s", p.variables["matrix_user_uid"], p.variables["matrix_user_gid"]),
	).Replace(script(t, playbookPage, heading)))
	cmd.Env = append(os.Environ(), "PATH="+programs+string(filepath.ListSeparator)+os.Getenv("PATH"))
	output(t, cmd)
}

// ansibleCommand is a program, such as those that come with Ansible, to be run in
// the folder of a playbook.
func ansibleCommand(t *testing.T, folder, name string, arguments ...string) *exec.Cmd {
	t.Helper()
	programs := ansiblePrograms(t)
	cmd := exec.CommandContext(t.Context(), "env", append([]string{name}, arguments...)...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(),
		"PATH="+programs+string(filepath.ListSeparator)+os.Getenv("PATH"),
		"ANSIBLE_HOME="+filepath.Join(folder, ".ansible"),
		"ANSIBLE_ROLES_PATH="+filepath.Join(folder, "roles"),
		"ANSIBLE_COLLECTIONS_PATH="+filepath.Join(folder, "collections"),
		"ANSIBLE_NOCOLOR=1",
		"LC_ALL=C.UTF-8",
	)
	return cmd
}

// ansiblePrograms is the folder of the programs that come with Ansible.
func ansiblePrograms(t *testing.T) string {
	t.Helper()
	programs, err := laboratory.InstallPython(t.Context(), "ansible", ansible)
	if err != nil {
		t.Fatal(err)
	}
	return programs
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
