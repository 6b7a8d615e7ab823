package lab

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// DockerSetup is what the stand-in for Docker (e2e/docker) finds in a machine.
type DockerSetup struct {
	Bot        *Image
	Paths      map[string]string // folder of the programs that an image has, by its name
	PythonPath string            // of Synapse
}

const (
	// DockerSetupFile is where it finds that, as JSON.
	DockerSetupFile = "/etc/docker-stand-in.json"
	// DockerNetwork is the network namespace of its containers.
	DockerNetwork = "/run/docker-stand-in/network"
)

// psycopg is what Synapse needs for PostgreSQL, and its image has.
//
//go:embed psycopg.txt
var psycopg string

// InstallDocker puts the stand-in for Docker into a machine. It knows the images of
// the bot, of Synapse and of PostgreSQL.
func (l *Lab) InstallDocker(ctx context.Context, m *Machine, bot *Image) error {
	programs, err := l.findPostgres(ctx)
	if err != nil {
		return err
	}
	python, err := l.installSynapse(ctx)
	if err != nil {
		return err
	}
	driver, err := l.InstallPython(ctx, "psycopg", psycopg)
	if err != nil {
		return err
	}
	libraries, err := filepath.Glob(filepath.Join(driver, "../lib/python*/site-packages"))
	if err != nil || len(libraries) != 1 {
		return fmt.Errorf("finding psycopg: %d folders (%w)", len(libraries), err)
	}
	setup, err := json.Marshal(DockerSetup{
		Bot:        bot,
		Paths:      map[string]string{"postgres": programs, "synapse": filepath.Dir(python)},
		PythonPath: libraries[0],
	})
	if err != nil {
		return err
	}
	file, program := filepath.Join(l.dir, "docker.json"), filepath.Join(l.dir, "docker")
	if err := os.WriteFile(file, setup, 0o600); err != nil {
		return err
	}
	if err := l.run(ctx, "go", "build", "-tags", "goolm", "-o", program, "./e2e/docker"); err != nil {
		return err
	}
	_, err = m.Run(ctx, fmt.Sprintf(`
chmod a+x /root # Python may be there
install -m 600 %s %s
install -m 755 %s /usr/local/bin/docker`, file, DockerSetupFile, program))
	return err
}

// Published is the homeserver that runs in a container of the stand-in for Docker,
// which publishes a port. See AdministeredBy.
func (l *Lab) Published(m *Machine, port int) (*Synapse, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("publishing a port: %w", err)
	}
	go func() {
		for {
			outside, err := listener.Accept()
			if err != nil {
				return
			}
			go m.publish(outside, port)
		}
	}()
	l.onClose(func() { _ = listener.Close() })
	return &Synapse{ServerName: serverName, URL: "http://" + listener.Addr().String(), secrets: &l.secrets}, nil
}

// AdministeredBy says who is server admin of a homeserver that the lab has not set up.
func (s *Synapse) AdministeredBy(admin *Person) { s.admin.Client = admin.client }

// publish passes on what a connection and a port of a container say to each other.
func (m *Machine) publish(outside net.Conn, port int) {
	defer outside.Close()
	inside, err := m.dialContainer(port)
	if err != nil {
		return // the container is not there yet
	}
	defer inside.Close()
	ended := make(chan struct{}, 2)
	for _, ends := range [][2]net.Conn{{inside, outside}, {outside, inside}} {
		go func() {
			_, _ = io.Copy(ends[0], ends[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}

// dialContainer connects to a port of a container. What a connection is in is
// decided when it is made.
func (m *Machine) dialContainer(port int) (connection net.Conn, err error) {
	inside, err := os.Open(fmt.Sprintf("/proc/%d/root%s", m.pid, DockerNetwork))
	if err != nil {
		return nil, err
	}
	defer inside.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread() // not to end: its children would be killed with it, see attributes
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer own.Close()
	if err := unix.Setns(int(inside.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	connection, err = net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if back := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); back != nil {
		panic(fmt.Sprintf("leaving a container's network: %v", back)) // this thread is everybody's
	}
	return connection, err
}
