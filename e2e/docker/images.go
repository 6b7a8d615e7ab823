package main

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"matrix-registration-bot/e2e/lab"
)

// The images by the last part of their names, which is also that of the unit.
const (
	botImage      = "matrix-registration-bot" // made by docker build
	synapseImage  = "synapse"
	postgresImage = "postgres"
)

// image is one that is there.
type image struct {
	unit string
	id   string // another after it was built again
}

func imageOf(service types.ServiceConfig) (image, error) {
	name, _, _ := strings.Cut(path.Base(service.Image), ":")
	switch name {
	case botImage:
		built, err := os.Readlink(filepath.Join(kept, botImage))
		if err != nil {
			return image{}, fmt.Errorf("the image %s was not built: %w", name, err)
		}
		return image{name, built}, nil
	case synapseImage, postgresImage:
		return image{name, service.Image}, nil
	}
	return image{}, fmt.Errorf("nothing stands for the image %s", service.Image)
}

// What the entrypoints of these images do with their arguments.
const (
	// https://github.com/element-hq/synapse/blob/develop/docker/start.py
	synapseEntrypoint = `
mode=$1
shift
case $mode in
run) exec python -m synapse.app.homeserver "$@" ;;
generate)
	echo '{version: 1, handlers: {console: {class: logging.StreamHandler}}, root: {level: INFO, handlers: [console]}}' > "/data/$SYNAPSE_SERVER_NAME.log.config"
	exec python -m synapse.app.homeserver --server-name "$SYNAPSE_SERVER_NAME" --report-stats "$SYNAPSE_REPORT_STATS" \
		--config-path /data/homeserver.yaml --config-directory /data --data-directory /data --generate-config --open-private-ports
	;;
esac
exit 2`
	// https://github.com/docker-library/postgres/blob/master/docker-entrypoint.sh
	// Its first server, which makes the database, can only be reached on the machine.
	postgresEntrypoint = `
PGDATA=/var/lib/postgresql/18/docker
install -d -o postgres -g postgres "$PGDATA" /run/postgresql
as="setpriv --reuid postgres --regid postgres --clear-groups"
if ! test -e "$PGDATA/PG_VERSION"; then
	echo "$POSTGRES_PASSWORD" > /run/postgresql/password
	$as initdb --pgdata "$PGDATA" --username="$POSTGRES_USER" --pwfile=/run/postgresql/password --no-sync $POSTGRES_INITDB_ARGS
	rm /run/postgresql/password
	echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
	$as pg_ctl --pgdata "$PGDATA" --wait -o "-c listen_addresses=''" start
	$as psql --username="$POSTGRES_USER" --dbname=postgres --command="CREATE DATABASE \"${POSTGRES_DB:-$POSTGRES_USER}\""
	$as pg_ctl --pgdata "$PGDATA" --wait --mode=fast stop
fi
exec $as postgres -D "$PGDATA" -c "listen_addresses=*"`
)

// synapseHealthcheck asks what curl asks in its image.
var synapseHealthcheck = []string{"python", "-c", "import urllib.request; urllib.request.urlopen('http://localhost:8008/health')"}

// withEntrypoint is the command that runs the image of a service with arguments.
func (p *project) withEntrypoint(service types.ServiceConfig, arguments []string) ([]string, error) {
	image, err := imageOf(service)
	if err != nil {
		return nil, err
	}
	switch image.unit {
	case synapseImage:
		return p.inside(service, append([]string{"sh", "-euc", synapseEntrypoint, "sh"}, arguments...))
	case postgresImage:
		if len(arguments) > 0 {
			return nil, errors.New("the stand-in only knows PostgreSQL without arguments")
		}
		return p.inside(service, []string{"sh", "-euc", postgresEntrypoint})
	}
	if len(arguments) == 0 {
		arguments = p.setup.Bot.Default
	}
	return p.inside(service, slices.Concat(p.setup.Bot.Entrypoint, arguments))
}

// inside is a command in a container of a service.
func (p *project) inside(service types.ServiceConfig, command []string) ([]string, error) {
	image, err := imageOf(service)
	if err != nil {
		return nil, err
	}
	into, err := p.network(service)
	if err != nil {
		return nil, err
	}
	if image.unit == botImage {
		container, err := p.botContainer(service, image)
		return slices.Concat(into, container, command), err
	}
	return slices.Concat(into, p.furnished(service, image), command), nil
}

// botContainer enters a container as the lab makes it.
func (p *project) botContainer(service types.ServiceConfig, image image) ([]string, error) {
	own := *p.setup.Bot
	own.Root = image.id
	var arguments []string
	if service.ReadOnly {
		arguments = append(arguments, "--read-only")
	}
	for _, capability := range service.CapDrop {
		arguments = append(arguments, "--cap-drop="+capability)
	}
	for _, option := range service.SecurityOpt {
		arguments = append(arguments, "--security-opt="+option)
	}
	for _, volume := range service.Volumes {
		mount := "type=bind,src=" + volume.Source + ",dst=" + volume.Target
		if volume.ReadOnly {
			mount += ",ro"
		}
		arguments = append(arguments, "--mount", mount)
	}
	container, err := lab.DockerCreate(&own, arguments)
	if err != nil {
		return nil, err
	}
	enter := container.Enter().Args
	// A machine in a machine may not mount it, and the bot needs none.
	if proc := slices.Index(enter, "--proc"); proc >= 0 {
		enter = slices.Delete(enter, proc, proc+2)
	}
	return append([]string{"setpriv", "--reuid", fmt.Sprint(own.User), "--regid", fmt.Sprint(own.Group), "--clear-groups"}, enter...), nil
}

// furnished enters the machine's own root file system, with the service's folders
// in their places.
func (p *project) furnished(service types.ServiceConfig, image image) []string {
	mounts := "mount --make-rprivate /\n"
	for _, volume := range service.Volumes {
		mounts += fmt.Sprintf("if test -d '%[1]s'; then mkdir -p '%[2]s'; else mkdir -p '%[3]s'; touch '%[2]s'; fi\nmount --bind '%[1]s' '%[2]s'\n",
			volume.Source, volume.Target, path.Dir(volume.Target))
		if volume.ReadOnly {
			mounts += fmt.Sprintf("mount -o remount,bind,ro '%s'\n", volume.Target)
		}
	}
	words := []string{"unshare", "--mount", "sh", "-euc", mounts + `exec "$@"`, "sh"}
	if user, group, found := strings.Cut(service.User, ":"); found {
		words = append(words, "setpriv", "--reuid", user, "--regid", group)
		if len(service.GroupAdd) > 0 {
			words = append(words, "--groups", strings.Join(service.GroupAdd, ","))
		} else {
			words = append(words, "--clear-groups")
		}
	}
	words = append(words, "env", "-i", "PATH="+p.setup.Paths[image.unit]+":/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")
	if image.unit == synapseImage {
		words = append(words, "PYTHONPATH="+p.setup.PythonPath)
	}
	for name, value := range service.Environment {
		if value != nil {
			words = append(words, name+"="+*value)
		}
	}
	return words
}
