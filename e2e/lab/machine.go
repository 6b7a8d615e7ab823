package lab

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

//go:embed machine.sh
var machineScript []byte

// Machine is a throwaway copy of this machine with a systemd of its own: what is
// installed, changed or started in it is gone when the lab is closed. It shares
// the network, so that it can reach the servers of the lab, the repository and the
// lab's folder.
type Machine struct {
	folder  string
	systemd *process
	pid     int    // of systemd, as this machine numbers it
	path    string // $PATH in it
}

// StartMachine needs root, and a kernel with overlayfs and cgroup2.
func (l *Lab) StartMachine(ctx context.Context) (*Machine, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("a throwaway machine needs root for its mounts: run this as root")
	}
	if _, err := l.Program(ctx, "systemctl", "systemd"); err != nil {
		return nil, err
	}
	l.Announce("Starting a throwaway machine with a systemd of its own")
	folder, err := os.MkdirTemp(l.dir, "registration-bot-machine-") // its name is also that of a cgroup
	if err != nil {
		return nil, fmt.Errorf("starting a machine: %w", err)
	}
	script := filepath.Join(l.dir, "machine.sh")
	if err := os.WriteFile(script, machineScript, 0o644); err != nil {
		return nil, fmt.Errorf("starting a machine: %w", err)
	}
	cmd := exec.Command("unshare", "--mount", "sh", script, folder, l.dir, l.root)
	m := &Machine{folder: folder, path: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	if goTool, err := exec.LookPath("go"); err == nil {
		m.path += ":" + filepath.Dir(goTool)
	}
	if m.systemd, err = start("the machine", folder+".log", cmd); err != nil {
		return nil, err
	}
	l.onClose(m.Stop)
	return m, m.systemd.until(ctx, "the machine runs", func(ctx context.Context) error {
		if m.pid = firstChild(m.systemd.pid()); m.pid == 0 {
			return errors.New("there is no systemd yet")
		}
		out, err := m.Command(ctx, "systemctl is-active sysinit.target").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// Stop kills systemd, and with it the kernel kills all that runs there.
func (m *Machine) Stop() {
	if !m.systemd.running() {
		return
	}
	if m.pid != 0 {
		_ = syscall.Kill(m.pid, syscall.SIGKILL)
		<-m.systemd.ended
	} else {
		m.systemd.kill()
	}
	if err := syscall.Mount("cgroup2", m.folder, "cgroup2", 0, ""); err != nil {
		return
	}
	removeGroups(filepath.Join(m.folder, filepath.Base(m.folder)))
	_ = syscall.Unmount(m.folder, 0)
}

// removeGroups removes a cgroup, innermost first. Its files are not to be removed.
func removeGroups(group string) {
	entries, _ := os.ReadDir(group)
	for _, entry := range entries {
		if entry.IsDir() {
			removeGroups(filepath.Join(group, entry.Name()))
		}
	}
	_ = syscall.Rmdir(group)
}

// Command is a shell script to be run in the machine, by root in /root, which
// ends at the first command that fails.
func (m *Machine) Command(ctx context.Context, script string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "nsenter", "--target", strconv.Itoa(m.pid),
		"--mount", "--pid", "--uts", "--ipc", "--cgroup", "--root", "--wdns=/root",
		"env", "-i", "HOME=/root", "PATH="+m.path, "LANG=C.UTF-8",
		"SYSTEMD_PAGER=", "bash", "-euo", "pipefail", "-c", script)
	cmd.SysProcAttr = attributes(nil)
	return cmd
}

// Run runs a shell script in the machine and returns what it printed.
func (m *Machine) Run(ctx context.Context, script string) (string, error) {
	out, err := m.Command(ctx, script).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("in the machine: %s: %w\n%s", strings.TrimSpace(script), err, lastLines(string(out), 40))
	}
	return string(out), err
}

// KeepJournal keeps what a unit has printed in a machine so far: it is searched for
// secrets like what the lab's bots print.
func (l *Lab) KeepJournal(ctx context.Context, m *Machine, unit string) error {
	journal, err := m.Run(ctx, "journalctl --no-pager --output=cat --unit="+unit)
	if err != nil {
		return err
	}
	log := m.folder + "-journal.log"
	if err := os.WriteFile(log, []byte(journal), 0o600); err != nil {
		return fmt.Errorf("keeping the journal: %w", err)
	}
	l.logs = append(l.logs, log)
	return nil
}

// Until waits for a condition: holds is asked until it returns nil.
func (m *Machine) Until(ctx context.Context, what string, holds func(ctx context.Context) error) error {
	return m.systemd.until(ctx, what, holds)
}
