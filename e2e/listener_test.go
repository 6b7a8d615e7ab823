//go:build e2e

package e2e

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Senders that take their time hold up nobody, and are cut off: those that never
// get to the body after ten seconds, which is what this test waits for.
func TestSlowSenders(t *testing.T) {
	const senders = 100 // of each kind
	onEachDatabase(t, func(s *scene) {
		mia := s.chatWith(s.personWith("manager", "mia"))
		done := make(chan struct{})
		ended := make(chan error, senders)
		for i := range 2 * senders {
			connection, err := net.Dial("tcp", strings.TrimPrefix(s.Bot.URL, "http://"))
			s.must(err)
			s.Cleanup(func() { _ = connection.Close() })
			begun := "PUT /_matrix/app/v1/transactions/slow HTTP/1.1\r\nHost: x\r\nX-Slow: "
			toTheBody := i%2 == 0
			if toTheBody {
				begun += "x\r\nAuthorization: Bearer " + s.Bot.HSToken + "\r\nContent-Length: 1000\r\n\r\n"
			}
			_, err = io.WriteString(connection, begun)
			s.must(err)
			go func() { // a byte a second
				for {
					select {
					case <-done:
						return
					case <-time.After(time.Second):
						_, _ = io.WriteString(connection, " ")
					}
				}
			}()
			if toTheBody {
				continue
			}
			go func() {
				_, err := io.Copy(io.Discard, connection)
				ended <- err
			}()
		}
		defer close(done)
		mia.create()
		mia.ask("whoami")
		for range senders {
			select {
			case err := <-ended:
				if errors.Is(err, net.ErrClosed) {
					s.Error("a connection was closed from this side")
				}
			case <-time.After(time.Minute):
				s.Fatal("a slow sender was not cut off")
			}
		}
		mia.ask("whoami")
	})
}

func TestFilesThatEverybodyCanRead(t *testing.T) {
	onDatabase(t, "sqlite", func(s *scene) {
		for _, name := range []string{"config.yaml", "registration.yaml", "registration-bot.db"} {
			path := filepath.Join(s.Bot.Dir(), name)
			info, err := os.Stat(path)
			s.must(err)
			if info.Mode().Perm()&0o007 != 0 {
				s.Errorf("everybody can read %s: %s", name, info.Mode())
			}
			s.must(s.Bot.Stop())
			s.must(os.Chmod(path, info.Mode()|0o004))
			s.startBot()
			warned := slices.ContainsFunc(strings.Split(s.Bot.Log(), "\n"), func(line string) bool {
				return strings.Contains(line, "WRN Everybody on this machine can read a file that holds secrets") && strings.HasSuffix(line, name)
			})
			if !warned {
				s.Errorf("the log should warn of %s:\n%s", name, s.Bot.Log())
			}
			s.must(os.Chmod(path, info.Mode()))
		}
	})
}
