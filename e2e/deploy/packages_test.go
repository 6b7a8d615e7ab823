//go:build e2e

package deploy

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"matrix-registration-bot/e2e/lab"
)

// manager is a program that installs packages, and the commands for it. Debian's
// rpm knows of no shell on this machine, and would rather not be used at all.
type manager struct {
	kind                     string // of its packages, as their names end
	install, upgrade, remove string
	list                     string // all files of our package
	state                    string // its name, its version and whether it is wholly installed
}

var managers = []manager{
	{
		"deb", "dpkg --no-triggers -i", "dpkg --no-triggers -i", "dpkg -r",
		"dpkg -L matrix-registration-bot", "dpkg-query -W -f '${Package} ${Version} ${db:Status-Status}' matrix-registration-bot",
	},
	{
		"rpm", "rpm --force-debian --nodeps -i", "rpm --force-debian --nodeps --replacepkgs -U", "rpm --force-debian -e",
		"rpm -ql matrix-registration-bot", "rpm -q --queryformat '%{NAME} %{VERSION} installed' matrix-registration-bot",
	},
}

func TestThePackagesInstallUpgradeAndRemoveTheBot(t *testing.T) {
	installed(t, "rpm", "rpm")
	newer, older := released(t)+"/"+amd64, olderPackages(t)
	for _, manager := range managers {
		t.Run(manager.kind, func(t *testing.T) {
			managesPackage(t, manager, older+"."+manager.kind, newer+"."+manager.kind)
		})
	}
}

func managesPackage(t *testing.T, manager manager, older, newer string) {
	m := machine(t)
	active := func() string {
		return in(t, m, "systemctl is-active matrix-registration-bot || true")
	}
	const pid = "systemctl show -P MainPID matrix-registration-bot"
	state := func(version string) {
		t.Helper()
		if got, want := in(t, m, manager.state), "matrix-registration-bot 0.0.0~"+version+" installed"; got != want {
			t.Errorf("the package is %q, not %q", got, want)
		}
	}

	// Where no systemd runs, as while an image of a machine is made.
	in(t, m, fmt.Sprintf("unshare --mount sh -ec 'mount -t tmpfs none /run/systemd; %s %s; %s matrix-registration-bot'", manager.install, older, manager.remove))

	if said := in(t, m, manager.install+" "+older); !strings.Contains(said, "Now run: matrix-registration-bot init --dir /etc/matrix-registration-bot") {
		t.Errorf("installing does not say what comes next:\n%s", said)
	}
	if is := active(); is != "inactive" {
		t.Errorf("without a config the bot is %s", is)
	}
	belongsToRoot(t, m, manager)

	port, err := laboratory.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	in(t, m, fmt.Sprintf(`matrix-registration-bot init --dir /etc/matrix-registration-bot --domain lab.test \
		--homeserver http://127.0.0.1:1 --admin @anna:lab.test --listen 127.0.0.1:%d \
		--database sqlite:/var/lib/matrix-registration-bot/registration-bot.db
		systemctl enable --now matrix-registration-bot`, port))
	learnSecrets(t, m, "package-secrets-"+manager.kind, "/etc/matrix-registration-bot")
	const config = "sha256sum /etc/matrix-registration-bot/*"
	written, process := in(t, m, config), in(t, m, pid)

	in(t, m, manager.upgrade+" "+newer)
	state("test")
	if version := in(t, m, "matrix-registration-bot version"); !strings.HasPrefix(version, "matrix-registration-bot "+releaseVersion+" ") {
		t.Errorf("after the upgrade the program is %q", version)
	}
	if now := in(t, m, config); now != written {
		t.Errorf("the upgrade has changed the config:\n%s", now)
	}
	if now := in(t, m, pid); active() != "active" || now == process {
		t.Errorf("the upgrade has not restarted the bot, whose process was %s and is %s", process, now)
	}

	in(t, m, "echo mistake: >> /etc/matrix-registration-bot/config.yaml")
	in(t, m, manager.upgrade+" "+newer)
	state("test")
	in(t, m, "sed -i /mistake:/d /etc/matrix-registration-bot/config.yaml; systemctl restart matrix-registration-bot")

	in(t, m, "systemctl stop matrix-registration-bot; "+manager.upgrade+" "+newer)
	if is := active(); is != "inactive" {
		t.Errorf("the upgrade has made a bot that was stopped %s", is)
	}

	in(t, m, "systemctl start matrix-registration-bot")
	files := strings.Fields(in(t, m, manager.list+" | grep matrix-registration-bot | grep -v ^/etc"))
	in(t, m, manager.remove+" matrix-registration-bot")
	if left := in(t, m, "ls -d "+strings.Join(files, " ")+" 2>/dev/null || true"); left != "" {
		t.Errorf("after removing the package there still is\n%s", left)
	}
	if is := active(); is != "inactive" {
		t.Errorf("after removing the package the bot is %s", is)
	}
	if now := in(t, m, config+"; ls /var/lib/private/matrix-registration-bot/registration-bot.db"); !strings.HasPrefix(now, written) {
		t.Errorf("after removing the package the config is not what it was:\n%s", now)
	}
	in(t, m, manager.install+" "+newer)
	if is := in(t, m, "systemctl is-enabled matrix-registration-bot || true"); is != "disabled" {
		t.Errorf("after removing and installing the package the bot is %s", is)
	}

	if manager.kind == "deb" {
		in(t, m, "dpkg --purge matrix-registration-bot")
		if left := in(t, m, "ls -d /etc/matrix-registration-bot /var/lib/{,private/}matrix-registration-bot 2>/dev/null || true"); left != "" {
			t.Errorf("after purging the package there still is\n%s", left)
		}
	}
}

// belongsToRoot wants all files of the package to be root's, and nobody else to be
// able to change them.
func belongsToRoot(t *testing.T, m *lab.Machine, manager manager) {
	t.Helper()
	var rights []string
	for line := range strings.Lines(in(t, m, "stat --format '%A %U:%G %n' $("+manager.list+" | grep matrix-registration-bot)")) {
		fields := strings.Fields(line)
		want := "-rw-r--r--"
		switch {
		case fields[2] == "/usr/bin/matrix-registration-bot":
			want = "-rwxr-xr-x"
		case fields[0][0] == 'd':
			want = "drwxr-xr-x"
		}
		if rights = fields[:2]; !slices.Equal(rights, []string{want, "root:root"}) {
			t.Errorf("%s has the rights %q", fields[2], rights)
		}
	}
	if rights == nil {
		t.Error("the package has no files")
	}
}

// olderPackages makes packages of an older version with the files of the one that
// is released, and returns their path without its end.
func olderPackages(t *testing.T) string {
	t.Helper()
	folder, err := laboratory.Folder("older-release") // a machine has no other temporary files
	if err != nil {
		t.Fatal(err)
	}
	output(t, exec.Command("sh", "-ec", `cd "$1"
		tar --extract --file "$2.tar.gz" --strip-components 1
		gzip man/*.1 licences.txt`, "sh", folder, released(t)+"/"+amd64))
	for _, manager := range managers {
		cmd := exec.Command("go", "tool", "-modfile=deploy/tools.mod", "nfpm", "package", "--config", "deploy/packages/nfpm.yaml",
			"--packager", manager.kind, "--target", filepath.Join(folder, "older."+manager.kind))
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "FOLDER="+folder, "ARCHITECTURE=amd64", "VERSION=0.0.0-older", "GOFLAGS=-trimpath")
		output(t, cmd)
	}
	return filepath.Join(folder, "older")
}

func TestBothKindsOfPackageHoldTheSameFiles(t *testing.T) {
	installed(t, "rpm", "rpm")
	name := released(t) + "/" + amd64
	var lists [2][]string
	for i, list := range []string{
		// Debian's lists the folders above as well.
		"dpkg-deb --contents " + name + ".deb | sed -n 's|^-.* \\./|/|p'",
		"rpm -qp --queryformat '[%{FILEMODES:perms} %{FILENAMES}\n]' " + name + ".rpm | sed -n 's|^-[^ ]* ||p'",
	} {
		// What each of them has at a place of its own.
		places := strings.NewReplacer(
			"/usr/share/zsh/vendor-completions/", "/usr/share/zsh/site-functions/",
			"/usr/share/doc/matrix-registration-bot/copyright", "/usr/share/licenses/matrix-registration-bot/LICENSE",
		)
		lists[i] = strings.Fields(places.Replace(output(t, exec.Command("sh", "-ec", list))))
		slices.Sort(lists[i])
	}
	if deb, rpm := lists[0], lists[1]; !slices.Equal(deb, rpm) || len(deb) == 0 {
		t.Errorf("the packages hold\n%s\nand\n%s", strings.Join(deb, "\n"), strings.Join(rpm, "\n"))
	}
	for _, path := range []string{
		"/usr/bin/matrix-registration-bot", "/usr/lib/systemd/system/matrix-registration-bot.service",
		"/usr/share/doc/matrix-registration-bot/monitoring/dashboard.json", "/usr/share/doc/matrix-registration-bot/licences.txt.gz",
	} {
		if !slices.Contains(lists[0], path) {
			t.Errorf("the packages lack %s", path)
		}
	}
	for _, architecture := range architectures {
		name := released(t) + "/" + linux + architecture.name
		if is := output(t, exec.Command("dpkg-deb", "--field", name+".deb", "Architecture")); is != architecture.deb+"\n" {
			t.Errorf("Debian's package for %s is for %s", architecture.name, is)
		}
		if is := output(t, exec.Command("rpm", "-qp", "--queryformat", "%{ARCH}", name+".rpm")); is != architecture.rpm {
			t.Errorf("the RPM package for %s is for %s", architecture.name, is)
		}
	}
	if needs := output(t, exec.Command("rpm", "-qp", "--requires", name+".rpm")); !slices.Contains(strings.Fields(needs), "/bin/sh") {
		t.Errorf("the RPM package does not need a shell for its scripts, but\n%s", needs)
	}
}
