//go:build goolm

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
)

var errNot = errors.New("not now")

func TestTheServiceManagerIsToldWhenTheBotIsReadyAndWhileItLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		during := func(from, to time.Duration, err error) func(context.Context) error {
			return func(context.Context) error {
				if since := time.Since(start); from <= since && since < to {
					return err
				}
				return nil
			}
		}
		var told []string
		manager := serviceManager{
			watchdog: 10 * time.Second,
			tell: func(state string) error {
				told = append(told, fmt.Sprint(time.Since(start), " ", state))
				return nil
			},
			log: zerolog.Nop(),
		}
		ctx, cancel := context.WithTimeout(t.Context(), 23*time.Second)
		defer cancel()
		manager.watch(ctx, during(0, 2*time.Second, errNot), during(10*time.Second, 15*time.Second, errNot))

		want := []string{"2s READY=1", "7s WATCHDOG=1", "17s WATCHDOG=1", "22s WATCHDOG=1", "23s STOPPING=1"}
		if !slices.Equal(told, want) {
			t.Errorf("it was told %q, not %q", told, want)
		}
	})
}

func TestWithoutAWatchdogTheServiceManagerGetsNoSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		manager := serviceManager{tell: func(state string) error { told = append(told, state); return nil }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		fine := func(context.Context) error { return nil }
		manager.watch(ctx, fine, fine)
		if want := []string{"READY=1", "STOPPING=1"}; !slices.Equal(told, want) {
			t.Errorf("it was told %q, not %q", told, want)
		}
	})
}

func TestTheServiceManagerIsFoundByTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()

	manager := newServiceManager(surroundings{environ: []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=30000000"}}, zerolog.Nop())
	if manager.watchdog != 30*time.Second {
		t.Errorf("the watchdog is %s, not 30 s", manager.watchdog)
	}
	manager.say("READY=1")
	message := make([]byte, 64)
	n, err := socket.Read(message)
	if err != nil || string(message[:n]) != "READY=1" {
		t.Errorf("the socket got %q, %v", message[:n], err)
	}

	other := newServiceManager(surroundings{environ: []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=30000000", "WATCHDOG_PID=1"}}, zerolog.Nop())
	if other.watchdog != 0 {
		t.Error("the bot takes the watchdog of another process for its own")
	}
	if nobody := newServiceManager(surroundings{environ: []string{"WATCHDOG_USEC=30000000"}}, zerolog.Nop()); nobody.tell != nil {
		t.Error("the bot tells somebody though there is nobody")
	}
}

func TestAStrangeWatchdogIsBroughtWithinBounds(t *testing.T) {
	for microseconds, want := range map[string]time.Duration{
		"": 0, "soon": 0, "0": 0, "-30000000": 0, "99999999999999999999": 0,
		"1": shortestWatchdog, "9223372036854775807": longestWatchdog,
	} {
		manager := newServiceManager(surroundings{environ: []string{"NOTIFY_SOCKET=/nowhere", "WATCHDOG_USEC=" + microseconds}}, zerolog.Nop())
		if manager.watchdog != want {
			t.Errorf("%q microseconds became %s, not %s", microseconds, manager.watchdog, want)
		}
	}
}
