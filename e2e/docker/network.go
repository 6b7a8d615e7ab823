package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/types"
	"golang.org/x/sys/unix"

	"matrix-registration-bot/e2e/lab"
)

// hosts are the names by which containers know each other: all are in one network
// namespace, and share its loopback.
const hosts = "127.0.0.1 localhost postgres registration-bot synapse\n"

// startLoopback is what the stand-in runs as in a new network.
const startLoopback = "loopback-up"

// network returns what leads a command into the network of a service, which it
// makes first if it is not there.
func (p *project) network(service types.ServiceConfig) ([]string, error) {
	if service.NetworkMode == "host" {
		return nil, nil
	}
	if service.NetworkMode != "" {
		return nil, fmt.Errorf("the stand-in does not know network_mode: %s", service.NetworkMode)
	}
	enter := []string{"nsenter", "--net=" + lab.DockerNetwork}
	if _, err := os.Stat(lab.DockerNetwork); err == nil {
		return enter, nil
	}
	if err := os.MkdirAll(filepath.Dir(lab.DockerNetwork), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(lab.DockerNetwork, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.WriteFile("/etc/hosts", []byte(hosts), 0o644); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if said, err := exec.Command("unshare", "--net="+lab.DockerNetwork, self, startLoopback).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("making a network: %w: %s", err, said)
	}
	return enter, nil
}

// loopback is down in a new network.
func loopback() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	request, err := unix.NewIfreq("lo")
	if err == nil {
		request.SetUint16(unix.IFF_UP)
		err = unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, request)
	}
	return errors.Join(err, unix.Close(socket))
}
