package lab

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"text/template"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
	"maunium.net/go/mautrix/synapseadmin"
)

//go:embed homeserver.yaml
var homeserverYAML string

//go:embed log.yaml
var logYAML []byte

// patience is how long anything may take before the lab gives up on it.
// Generous: it only matters when something is broken.
const patience = 60 * time.Second

// Synapse is a homeserver.
type Synapse struct {
	ServerName string // the part after the colon in user ids
	URL        string // client-server API and admin API

	python  string
	dir     string
	secret  string   // for registering users without a token
	secrets *secrets // the lab's
	process *process
	admin   synapseadmin.Client // as @operator, a server admin
}

// NewSynapse prepares a homeserver in a folder of its own, which will read the
// given registration file, or none if that is empty. It may not be there before Start.
func (l *Lab) NewSynapse(ctx context.Context, name, registration string) (*Synapse, error) {
	dir, err := l.Folder(name)
	if err != nil {
		return nil, err
	}
	port, err := l.FreePort()
	if err != nil {
		return nil, err
	}
	return l.newSynapse(ctx, dir, serverName, port, registration)
}

// serverName is the server name of every homeserver of a lab.
const serverName = "lab.test"

// newSynapse prepares a homeserver that reads the given registration file when
// it starts.
func (l *Lab) newSynapse(ctx context.Context, dir, serverName string, port int, registration string) (*Synapse, error) {
	python, err := l.installSynapse(ctx)
	if err != nil {
		return nil, err
	}
	s := &Synapse{
		ServerName: serverName,
		URL:        fmt.Sprintf("http://127.0.0.1:%d", port),
		python:     python,
		dir:        dir,
		secret:     rand.Text(),
		secrets:    &l.secrets,
	}
	l.secrets.add("registration_shared_secret", s.secret)
	l.homeservers = append(l.homeservers, s)
	signingKey := make([]byte, 32)
	_, _ = rand.Read(signingKey)
	var config strings.Builder
	err = template.Must(template.New("").Parse(homeserverYAML)).Execute(&config, map[string]any{
		"ServerName":   serverName,
		"Dir":          dir,
		"Port":         port,
		"SigningKey":   base64.RawStdEncoding.EncodeToString(signingKey),
		"Secret":       s.secret,
		"Registration": registration,
	})
	if err != nil {
		return nil, fmt.Errorf("writing homeserver.yaml: %w", err)
	}
	if err := os.WriteFile(s.config(), []byte(config.String()), 0o600); err != nil {
		return nil, fmt.Errorf("writing homeserver.yaml: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "log.yaml"), logYAML, 0o600); err != nil {
		return nil, fmt.Errorf("writing log.yaml: %w", err)
	}
	l.onClose(s.Stop)
	return s, nil
}

func (s *Synapse) config() string { return filepath.Join(s.dir, "homeserver.yaml") }

// Start starts the homeserver, on the same port and data each time, and returns
// when it answers.
func (s *Synapse) Start(ctx context.Context) error {
	cmd := exec.Command(s.python, "-m", "synapse.app.homeserver", "--config-path", s.config())
	cmd.Dir = s.dir
	var err error
	if s.process, err = start("Synapse", filepath.Join(s.dir, "homeserver.log"), cmd); err != nil {
		return err
	}
	guest, err := mautrix.NewClient(s.URL, "", "")
	if err != nil {
		return fmt.Errorf("starting Synapse: %w", err)
	}
	err = s.process.until(ctx, "Synapse answers", func(ctx context.Context) error {
		_, err := guest.Versions(ctx)
		return err
	})
	if err != nil {
		return err
	}
	return s.rememberTokens(ctx)
}

// Stop ends the homeserver; its data stay for the next Start.
func (s *Synapse) Stop() {
	if s.process != nil {
		_ = s.process.stop(syscall.SIGTERM, 10*time.Second)
	}
}

// Running tells whether the homeserver's process is there.
func (s *Synapse) Running() bool { return s.process.running() }

// Watch begins to read the homeserver's log. The function that it returns waits
// until something with this text has been written since.
func (s *Synapse) Watch(text string) (wait func(ctx context.Context) error) {
	return s.process.watch(text)
}

// UserID returns the id of a user of this homeserver.
func (s *Synapse) UserID(localpart string) id.UserID { return id.NewUserID(localpart, s.ServerName) }

// Log returns the last lines that the homeserver printed.
func (s *Synapse) Log() string { return s.process.lastWords() }
