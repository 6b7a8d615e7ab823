package lab

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Postgres is a PostgreSQL server with nothing in it, reached by a socket file.
type Postgres struct {
	dir     string // data and socket
	process *process
}

// StartPostgres starts a PostgreSQL server, as an ordinary user even when we are
// root, and installs it first if it is missing.
func (l *Lab) StartPostgres(ctx context.Context) (*Postgres, error) {
	programs, err := l.findPostgres(ctx)
	if err != nil {
		return nil, err
	}
	l.Announce("Starting PostgreSQL")
	dir, err := l.folder("postgres")
	if err != nil {
		return nil, err
	}
	as, err := ordinaryUser()
	if err != nil {
		return nil, err
	}
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return nil, fmt.Errorf("giving PostgreSQL its folder: %w", err)
		}
	}
	data := filepath.Join(dir, "data")
	_, err = l.output(ctx, as, filepath.Join(programs, "initdb"), "--pgdata", data,
		"--username=bot", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if err != nil {
		return nil, fmt.Errorf("making a PostgreSQL cluster: %w", err)
	}
	cmd := exec.Command(filepath.Join(programs, "postgres"), "-D", data,
		"-c", "listen_addresses=", "-c", "unix_socket_directories="+dir, "-c", "fsync=off")
	cmd.Dir = "/"
	cmd.SysProcAttr = attributes(as)
	p := &Postgres{dir: dir}
	if p.process, err = start("PostgreSQL", filepath.Join(l.dir, "postgres.log"), cmd); err != nil {
		return nil, err
	}
	// SIGINT is PostgreSQL's "disconnect everybody and end".
	l.onClose(func() { _ = p.process.stop(syscall.SIGINT, 10*time.Second) })
	return p, p.process.until(ctx, "PostgreSQL answers", func(ctx context.Context) error {
		return p.execute(ctx, "SELECT 1")
	})
}

// NewDatabase makes an empty database and returns its URI.
func (p *Postgres) NewDatabase(ctx context.Context, name string) (string, error) {
	if err := p.execute(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", fmt.Errorf("making database %s: %w", name, err)
	}
	return p.uri(name), nil
}

func (p *Postgres) uri(database string) string {
	return fmt.Sprintf("postgres://bot@/%s?host=%s", database, url.QueryEscape(p.dir))
}

func (p *Postgres) execute(ctx context.Context, statement string) error {
	connection, err := pgx.Connect(ctx, p.uri("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close(ctx) }()
	_, err = connection.Exec(ctx, statement)
	return err
}

// installPostgres leaves out the cluster that Debian would start by itself.
const installPostgres = `set -e
export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install -y --no-install-recommends postgresql-common
sed -ri 's/^#?(create_main_cluster) .*$/\1 = false/' /etc/postgresql-common/createcluster.conf
apt-get install -y --no-install-recommends postgresql`

// findPostgres returns the folder with PostgreSQL's programs.
func (l *Lab) findPostgres(ctx context.Context) (string, error) {
	if dir, ok := lookForPostgres(); ok {
		return dir, nil
	}
	shell := []string{"sh", "-c", installPostgres}
	if os.Geteuid() != 0 {
		shell = append([]string{"sudo", "--non-interactive"}, shell...)
	}
	l.Announce("Installing PostgreSQL by apt-get (once)")
	if err := l.run(ctx, shell[0], shell[1:]...); err != nil {
		return "", fmt.Errorf("PostgreSQL is missing (apt-get install postgresql), and installing it failed: %w", err)
	}
	if dir, ok := lookForPostgres(); ok {
		return dir, nil
	}
	return "", errors.New("PostgreSQL was installed, but neither PATH nor /usr/lib/postgresql has initdb")
}

func lookForPostgres() (dir string, ok bool) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if onPath, err := exec.LookPath("initdb"); err == nil {
		found = append(found, onPath)
	}
	for _, initdb := range slices.Backward(found) {
		dir := filepath.Dir(initdb)
		if _, err := os.Stat(filepath.Join(dir, "postgres")); err == nil {
			return dir, true
		}
	}
	return "", false
}

// ordinaryUser returns whom PostgreSQL runs as: nil for ourselves, and another
// when we are root, whom it refuses.
func ordinaryUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		account, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("finding a user for PostgreSQL, which refuses root: %w", err)
	}
	uid, err := strconv.ParseUint(account.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("reading the user id of %s: %w", account.Username, err)
	}
	gid, err := strconv.ParseUint(account.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("reading the group id of %s: %w", account.Username, err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
