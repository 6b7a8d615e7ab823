package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
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

// Postgres is a PostgreSQL server with nothing in it.
type Postgres struct {
	port     int
	password string
	command  func() *exec.Cmd
	log      string
	process  *process
}

// StartPostgres starts a PostgreSQL server, as an ordinary user even when we are
// root, and installs it first if it is missing.
func (l *Lab) StartPostgres(ctx context.Context) (*Postgres, error) {
	programs, err := l.findPostgres(ctx)
	if err != nil {
		return nil, err
	}
	l.Announce("Starting PostgreSQL")
	port, err := l.FreePort()
	if err != nil {
		return nil, err
	}
	p := &Postgres{port: port, password: rand.Text()}
	l.secrets.add("PostgreSQL's password", p.password)
	as, err := ordinaryUser()
	if err != nil {
		return nil, err
	}
	data, err := l.makeCluster(ctx, filepath.Join(programs, "initdb"), p.password, as)
	if err != nil {
		return nil, fmt.Errorf("making a PostgreSQL cluster: %w", err)
	}
	p.log = filepath.Join(l.dir, "postgres.log")
	p.command = func() *exec.Cmd {
		cmd := exec.Command(filepath.Join(programs, "postgres"), "-D", data, "-p", strconv.Itoa(port),
			"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off")
		cmd.Dir = data
		cmd.SysProcAttr = attributes(as)
		return cmd
	}
	l.onClose(func() { _ = p.Stop() })
	return p, p.Start(ctx)
}

// Start starts the server, on the same port and data each time, and returns when
// it answers.
func (p *Postgres) Start(ctx context.Context) (err error) {
	if p.process, err = start("PostgreSQL", p.log, p.command()); err != nil {
		return err
	}
	return p.process.until(ctx, "PostgreSQL answers", func(ctx context.Context) error {
		return p.execute(ctx, "SELECT 1")
	})
}

// Stop disconnects everybody and ends the server; its data stay for the next
// Start.
func (p *Postgres) Stop() error {
	if !p.process.running() {
		return nil
	}
	return p.process.stop(syscall.SIGINT, 10*time.Second)
}

// Running tells whether the server's process is there.
func (p *Postgres) Running() bool { return p.process.running() }

// Disconnect ends the connections of a database from the server's side
// (pg_terminate_backend), those that hold an advisory lock or the others, and
// returns how many there were.
func (p *Postgres) Disconnect(ctx context.Context, database string, lockHolders bool) (int, error) {
	connection, err := pgx.Connect(ctx, p.URI("postgres"))
	if err != nil {
		return 0, fmt.Errorf("disconnecting: %w", err)
	}
	defer func() { _ = connection.Close(ctx) }()
	var ended int
	err = connection.QueryRow(ctx, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname=$1
		AND $2 = (pid IN (SELECT pid FROM pg_locks WHERE locktype='advisory' AND granted))`, database, lockHolders).Scan(&ended)
	if err != nil {
		return 0, fmt.Errorf("disconnecting: %w", err)
	}
	return ended, nil
}

// StopVacuum keeps PostgreSQL from tidying up by itself, which uses transaction
// ids too: see Ledger.Commits.
func (p *Postgres) StopVacuum(ctx context.Context) error {
	for _, statement := range []string{"ALTER SYSTEM SET autovacuum = off", "SELECT pg_reload_conf()"} {
		if err := p.execute(ctx, statement); err != nil {
			return fmt.Errorf("stopping autovacuum: %w", err)
		}
	}
	return nil
}

// makeCluster makes the folder with PostgreSQL's data, which must belong to whom
// it runs as.
func (l *Lab) makeCluster(ctx context.Context, initdb, password string, as *syscall.Credential) (data string, err error) {
	data, err = l.Folder("postgres-data")
	if err != nil {
		return "", err
	}
	passwordFile := filepath.Join(l.dir, "postgres-password")
	if err := os.WriteFile(passwordFile, []byte(password), 0o600); err != nil {
		return "", err
	}
	if as != nil {
		for _, path := range []string{data, passwordFile} {
			if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
				return "", err
			}
		}
	}
	_, err = l.output(ctx, as, initdb, "--pgdata", data, "--username=bot", "--pwfile", passwordFile,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	return data, err
}

// NewDatabase makes an empty database and returns its URI.
func (p *Postgres) NewDatabase(ctx context.Context, name string) (string, error) {
	if err := p.execute(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", fmt.Errorf("making database %s: %w", name, err)
	}
	return p.URI(name), nil
}

// URI is the address of one of its databases, for a user who may create others.
func (p *Postgres) URI(database string) string {
	return fmt.Sprintf("postgres://bot:%s@127.0.0.1:%d/%s", p.password, p.port, database)
}

func (p *Postgres) execute(ctx context.Context, statement string) error {
	connection, err := pgx.Connect(ctx, p.URI("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close(ctx) }()
	_, err = connection.Exec(ctx, statement)
	return err
}

// installPostgres leaves out the cluster that Debian would start by itself.
const installPostgres = `apt-get update
apt-get install -y --no-install-recommends postgresql-common
sed -ri 's/^#?(create_main_cluster) .*$/\1 = false/' /etc/postgresql-common/createcluster.conf
apt-get install -y --no-install-recommends postgresql`

// findPostgres returns the folder with PostgreSQL's programs.
func (l *Lab) findPostgres(ctx context.Context) (string, error) {
	if dir, ok := lookForPostgres(); ok {
		return dir, nil
	}
	l.Announce("Installing PostgreSQL by apt-get (once)")
	if err := l.installDebian(ctx, installPostgres); err != nil {
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
