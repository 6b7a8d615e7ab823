package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports come from below the kernel's range for outgoing connections (from
// 32768), so that none is taken by chance while its server is stopped.
const lowestPort, highestPort = 20000, 32000

// FreePort returns a loopback port that belongs to this lab until it is closed:
// a server may stop and come back on it. Labs of other processes see
// that it is taken by a socket in the abstract namespace, which leaves no file and
// ends with the process.
func (l *Lab) FreePort() (int, error) {
	for range 100 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		claim, err := net.Listen("unix", fmt.Sprintf("@registration-bot-lab-port-%d", port))
		if err != nil {
			continue
		}
		probe, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			_ = claim.Close()
			continue
		}
		_ = probe.Close()
		l.onClose(func() { _ = claim.Close() })
		return port, nil
	}
	return 0, errors.New("finding a free port: none of 100 tried was free")
}
