//go:build goolm

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/appservice"
	"matrix-registration-bot/chat"
	"matrix-registration-bot/config"
	"matrix-registration-bot/metrics"
	"matrix-registration-bot/store"
)

// lockTime is how long a new process waits for the old one to go.
const lockTime = 30 * time.Second

func runCommand(around *surroundings) *cobra.Command {
	return subcommand("run", "Run the bot", func() error { return run(*around) })
}

// run is the program's main job. SIGTERM and SIGINT finish what is under way
// and end it, a second one ends it at once; SIGHUP reads the config again.
func run(around surroundings) error {
	holdGarbageShort(around)
	a, err := newApp(around)
	if err != nil {
		return err
	}
	defer a.close()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	go func() {
		for received := range signals {
			switch {
			case received == syscall.SIGHUP:
				a.reload()
			case ctx.Err() != nil:
				os.Exit(exitFailed)
			default:
				a.log.Info().Stringer("signal", received).Msg("Stopping")
				stop()
			}
		}
	}()

	err = a.run(ctx)
	if errors.Is(err, context.Canceled) {
		err = nil
	}
	return err
}

// holdGarbageShort has memory cleared away earlier than Go does by its own measure:
// what lives is about 1 MB, but garbage would grow to 4 MB. It leaves that to the
// admin who has set GOGC. GOMEMLIMIT holds either way.
func holdGarbageShort(around surroundings) {
	if around.variable("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

// run holds the database and works with it. Should the right to it get lost,
// all work stops at once until it is held again.
func (a *app) run(ctx context.Context) error {
	lock, err := a.takeDatabase(ctx)
	if err != nil {
		return err
	}
	server := appservice.New(appservice.Config{
		Listen: a.cfg.Appservice.Listen, HSToken: a.reg.HsToken, BotUserID: a.cfg.BotUserID(),
		Inbox: a.intake, Wants: a.bot.Wants, Ready: a.ready, Log: part(a.log, "appservice"),
	})
	metricsServer := metrics.NewServer(a.cfg.Metrics.Listen, a.metrics, a.snapshot)
	if err := listen(ctx, server, metricsServer); err != nil {
		lock.Release()
		return err
	}
	a.log.Info().Str("version", version).Stringer("user_id", id.UserID(a.cfg.BotUserID())).
		Str("listen", server.Addr()).Str("metrics", metricsServer.Addr()).Str("homeserver", a.cfg.Homeserver.Address).Msg("Running")

	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var tasks sync.WaitGroup
	tasks.Go(func() { stop(server.Serve(ctx)) })
	tasks.Go(func() { a.serveMetrics(ctx, metricsServer.Serve) })
	tasks.Go(func() { a.intake.watch(ctx) })
	tasks.Go(func() { a.tokenAPI.watch(ctx) })
	tasks.Go(func() { a.checkUp(ctx) })
	tasks.Go(func() {
		itself := "http://" + server.Addr()
		newServiceManager(a.around, a.log).watch(ctx,
			func(ctx context.Context) error { return askHealth(ctx, itself+"/ready") },
			func(ctx context.Context) error { return askHealth(ctx, itself+"/health") })
	})
	lock, err = a.workWhileHeld(ctx, lock)
	stop(err)
	tasks.Wait()
	if lock != nil {
		lock.Release() // last: whoever waits for it also waits for our port
	}
	switch {
	case errors.Is(err, chat.ErrWrongPickleKey):
		return a.cfg.Wrong("encryption.pickle_key", "%v", err)
	case err == nil:
		return context.Cause(ctx)
	}
	return err
}

// takeDatabase waits for an older process to go, and brings the schema up to date.
func (a *app) takeDatabase(ctx context.Context) (*store.Lock, error) {
	waiting, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	lock, err := a.db.Lock(waiting, a.log)
	if errors.Is(err, store.ErrInUse) {
		return nil, fmt.Errorf("another matrix-registration-bot uses this database and did not end within %s: stop it first (%w)", lockTime, err)
	} else if err != nil {
		return nil, err
	}
	if err := a.db.Migrate(ctx); err != nil {
		lock.Release()
		return nil, err
	}
	return lock, nil
}

// listen takes both ports, or none.
func listen(ctx context.Context, server *appservice.Server, metricsServer *metrics.Server) error {
	if err := server.Listen(); err != nil {
		return err
	}
	if err := metricsServer.Listen(); err != nil {
		_ = server.Close(ctx)
		return err
	}
	return nil
}

// workWhileHeld works until the context ends. When the lock gets lost it takes it
// again; it returns the one that is held at the end, or nil.
func (a *app) workWhileHeld(ctx context.Context, lock *store.Lock) (*store.Lock, error) {
	for {
		if err := a.work(ctx, lock); err != nil || ctx.Err() != nil {
			return lock, err
		}
		lock.Release()
		a.log.Error().Msg("The right to the database is lost: all work stops until it is held again")
		var err error
		if lock, err = a.db.Lock(ctx, a.log); err != nil {
			return nil, err
		}
		a.log.Info().Msg("The database is held again")
	}
}

// work chats and watches for news until the context ends or the lock is lost.
func (a *app) work(ctx context.Context, lock *store.Lock) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	a.intake.open() // before anything can close it
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-lock.Lost():
			a.intake.close()
			a.bot.Abort()
			stop()
		case <-ctx.Done():
		}
	})
	watching.Go(func() { a.news.Run(ctx) })
	err := a.bot.Run(ctx)
	stop()
	watching.Wait()
	return err
}

// reload reads the config again and takes over what may change while the bot
// runs.
func (a *app) reload() {
	next, err := config.Load(a.around.configPath, a.around.environ)
	if err != nil {
		a.log.Error().Err(err).Msg("The changed config is wrong; going on with the former one")
		return
	}
	if changed := a.cfg.NeedRestart(next); len(changed) > 0 {
		a.log.Warn().Strs("keys", changed).Msg("These changed settings need a restart")
	}
	merged := *a.cfg
	merged.Reloadable = next.Reloadable
	if err := a.use(&merged); err != nil {
		a.log.Error().Err(err).Msg("The changed config is wrong; going on with the former one")
		return
	}
	setLogLevel(next.Logging.Level)
	a.log.Info().Msg("The config was read again")
}

// ready is the answer to /ready.
func (a *app) ready(ctx context.Context) appservice.Readiness {
	status := a.bot.Status()
	state := appservice.Readiness{Homeserver: status.Homeserver, WayBack: status.WayBack, TokenAPI: a.tokenAPI.state()}
	if err := a.intake.writable(ctx); err != nil {
		state.Database = "not writable"
	} else {
		state.Ready, state.Database = true, "ok"
	}
	return state
}
