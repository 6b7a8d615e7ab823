//go:build goolm

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/rs/zerolog"
)

// readyEvery is how often a bot that is not ready yet looks whether it is.
const readyEvery = 250 * time.Millisecond

// The bot does not give signs of life more or less often than for these.
const (
	shortestWatchdog = 100 * time.Millisecond
	longestWatchdog  = 24 * time.Hour
)

// serviceManager is what has started the bot and wants to know how it is:
// systemd, or whatever speaks its protocol, sd_notify(3). Without one nothing
// is told to anybody.
type serviceManager struct {
	tell     func(state string) error // nil: nobody wants to know
	watchdog time.Duration            // without a sign of life for so long the bot is killed; 0: never
	log      zerolog.Logger
}

// newServiceManager finds out from the environment who wants to know.
func newServiceManager(around surroundings, log zerolog.Logger) serviceManager {
	m := serviceManager{log: log}
	socket := around.variable("NOTIFY_SOCKET")
	if socket == "" {
		return m
	}
	m.tell = func(state string) error {
		connection, err := net.Dial("unixgram", socket)
		if err != nil {
			return err
		}
		defer connection.Close()
		_, err = connection.Write([]byte(state))
		return err
	}
	// The variables are inherited, but the watchdog is for one process.
	if pid := around.variable("WATCHDOG_PID"); pid == "" || pid == strconv.Itoa(os.Getpid()) {
		m.watchdog = watchdogOf(around.variable("WATCHDOG_USEC"))
	}
	return m
}

// watchdogOf reads the microseconds of a watchdog. What is not a time is as good
// as none.
func watchdogOf(microseconds string) time.Duration {
	n, err := strconv.ParseInt(microseconds, 10, 64)
	if err != nil || n <= 0 {
		return 0
	}
	n = min(max(n, shortestWatchdog.Microseconds()), longestWatchdog.Microseconds())
	return time.Duration(n) * time.Microsecond
}

// watch tells the service manager when the bot is ready, from then on twice in
// the time of the watchdog that it lives, and when ctx ends that it stops.
// ready and alive return nil, or what is wrong.
func (m serviceManager) watch(ctx context.Context, ready, alive func(context.Context) error) {
	if m.tell == nil {
		return
	}
	isReady := false
	ticks := time.NewTicker(readyEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			m.say("STOPPING=1")
			return
		case <-ticks.C:
		}
		if !isReady {
			if ready(ctx) != nil {
				continue
			}
			m.say("READY=1")
			isReady = true
			if m.watchdog == 0 {
				ticks.Stop()
			} else {
				ticks.Reset(m.watchdog / 2)
			}
		} else if err := alive(ctx); err == nil {
			m.say("WATCHDOG=1")
		} else if ctx.Err() == nil {
			m.log.Error().Err(err).Stringer("watchdog", m.watchdog).Msg("The bot does not answer itself; the service manager will restart it")
		}
	}
}

func (m serviceManager) say(state string) {
	if err := m.tell(state); err != nil {
		m.log.Warn().Err(fmt.Errorf("telling the service manager %s: %w", state, err)).Msg("The service manager can't be told how the bot is")
	}
}
