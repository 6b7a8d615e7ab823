//go:build goolm

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/appservice"
	"matrix-registration-bot/chat"
	"matrix-registration-bot/commands"
	"matrix-registration-bot/config"
	"matrix-registration-bot/crashpoint"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/metrics"
	"matrix-registration-bot/news"
	"matrix-registration-bot/store"
	"matrix-registration-bot/tokens"
)

// lockTime is how long a new process waits for the old one to go.
const lockTime = 30 * time.Second

// app is the whole bot, put together.
type app struct {
	around   surroundings
	cfg      *config.Config
	reg      *config.Registration
	log      zerolog.Logger
	catalog  *locale.Catalog
	settings atomic.Pointer[commands.Settings]
	notify   atomic.Pointer[news.Settings]
	db       *store.DB
	bot      *chat.Bot
	intake   *intake
	news     *news.Watcher
	tokenAPI *tokenAPI
	metrics  *metrics.Metrics
}

// newApp reads the config and puts the parts together. Nothing runs yet.
func newApp(around surroundings) (*app, error) {
	cfg, err := config.Load(around.configPath, around.environ)
	if err != nil {
		return nil, err
	}
	reg, err := config.LoadRegistration(cfg.Appservice.Registration)
	if err != nil {
		return nil, err
	}
	warnings, err := config.Check(cfg, reg)
	if err != nil {
		return nil, err
	}
	a := &app{around: around, cfg: cfg, reg: reg, log: newLog(around, cfg.Logging.Level, cfg.Logging.Format)}
	for _, warning := range slices.Concat(cfg.Warnings, warnings) {
		a.log.Warn().Msg(warning)
	}
	for _, path := range cfg.OpenToAll() {
		a.log.Warn().Str("file", path).Msg("Everybody on this machine can read a file that holds secrets: take that right away (chmod o=)")
	}
	if len(cfg.FromEnvironment) > 0 {
		a.log.Info().Strs("keys", cfg.FromEnvironment).Msg("These settings come from the environment")
	}
	if a.catalog, err = locale.Load(); err != nil {
		return nil, err
	}
	if names := a.catalog.Names(); !slices.Contains(names, cfg.Bot.Language) {
		return nil, cfg.Wrong("bot.language", "there is no such language: the bot speaks %s", strings.Join(names, ", "))
	}
	settings, err := settingsFrom(cfg)
	if err != nil {
		return nil, err
	}
	settings.Identity = func(context.Context) (deviceID, fingerprint, masterKey string, ok bool) {
		f, ok := a.bot.Fingerprint()
		return f.DeviceID, f.DeviceKey, f.MasterKey, ok
	}
	a.use(settings, newsSettings(cfg, settings.Zone))

	if a.db, err = store.Open(cfg.Database.URI, part(a.log, "store")); err != nil {
		return nil, cfg.Wrong("database.uri", "%v", err)
	}
	a.metrics = metrics.New(version, chat.UnreadableReasons()...)
	client := newHTTPClient()
	tokensFrom := tokensConfig(cfg, reg, counted(a.metrics, "tokens", client))
	tokensFrom.IDs = a.db
	server, err := tokens.New(tokensFrom)
	if err != nil {
		return nil, err
	}
	botID := id.UserID(cfg.BotUserID())
	a.tokenAPI = &tokenAPI{server: server, bot: botID, log: a.log}
	dispatcher := commands.New(commands.Options{
		Server: server, Store: a.db, Catalog: a.catalog, Bot: botID, Now: time.Now, Log: part(a.log, "commands"),
		Settings: func() commands.Settings { return *a.settings.Load() },
		Observe:  a.metrics.Command,
	})
	a.bot = chat.New(chat.Config{
		Homeserver: cfg.Homeserver.Address, UserID: botID, Displayname: cfg.Bot.Displayname,
		Avatar: id.ContentURIString(cfg.Bot.Avatar), AppserviceID: reg.ID, ASToken: reg.AsToken,
		Encryption: chat.Encryption{
			Enabled: cfg.Encryption.Enabled, PickleKey: cfg.Encryption.PickleKey,
			CrossSigned: cfg.Encryption.MinTrust == "cross-signed",
		},
		Store: a.db, Commands: dispatcher, DescribeCommands: cfg.Bot.DescribeCommands,
		HTTP: counted(a.metrics, "homeserver", client), Observer: a.metrics, Log: part(a.log, "chat"),
		Language: func() locale.Language { return a.catalog.Language(a.settings.Load().Language) },
		Admins:   func() []string { return a.settings.Load().Admins() },
	})
	a.intake = newIntake(a.db, a.bot, part(a.log, "intake"))
	a.news = news.New(news.Options{
		Server: tally{server, a.metrics}, Store: a.db, Chat: a.bot, Roles: dispatcher, Catalog: a.catalog, Bot: botID, Now: time.Now, Log: part(a.log, "news"),
		Settings: func() news.Settings { return *a.notify.Load() },
	})
	return a, nil
}

// use makes settings those that hold from now on.
func (a *app) use(settings commands.Settings, notify news.Settings) {
	a.settings.Store(&settings)
	a.notify.Store(&notify)
}

func (a *app) close() {
	if err := closeTokens(a.tokenAPI.server); err != nil {
		a.log.Warn().Err(err).Msg("An access token was not given back")
	}
	if err := a.db.Close(); err != nil {
		a.log.Warn().Err(err).Msg("Closing the database failed")
	}
}

// run holds the database and works with it. Should the right to it get lost,
// all work stops at once until it is held again.
func (a *app) run(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, lockTime)
	defer cancel()
	lock, err := a.db.Lock(waiting, a.log)
	if err != nil {
		if errors.Is(err, store.ErrInUse) {
			return fmt.Errorf("another matrix-registration-bot uses this database and did not end within %s: stop it first (%w)", lockTime, err)
		}
		return err
	}
	if err := a.db.Migrate(ctx); err != nil {
		lock.Release()
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
	for {
		err = a.work(ctx, lock)
		if err != nil || ctx.Err() != nil {
			break
		}
		lock.Release()
		a.log.Error().Msg("The right to the database is lost: all work stops until it is held again")
		if lock, err = a.db.Lock(ctx, a.log); err != nil {
			break
		}
		a.log.Info().Msg("The database is held again")
	}
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

// work chats and watches for news until the context ends or the lock is lost.
func (a *app) work(ctx context.Context, lock *store.Lock) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-lock.Lost():
			a.intake.close()
			a.bot.Abort()
			stop()
		case <-ctx.Done():
		}
	}()
	a.intake.open()
	var watching sync.WaitGroup
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
	settings, err := settingsFrom(&merged)
	if err != nil {
		a.log.Error().Err(err).Msg("The changed config is wrong; going on with the former one")
		return
	}
	settings.Identity = a.settings.Load().Identity
	a.use(settings, newsSettings(&merged, settings.Zone))
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

func part(log zerolog.Logger, name string) zerolog.Logger {
	return log.With().Str("part", name).Logger()
}

// newHTTPClient is shared by all calls to the homeserver. Each call has a time
// limit of its own. Redirects are not followed: they would make a GET of
// something else out of a PUT, and take it for a success.
func newHTTPClient() *http.Client {
	direct := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{CheckRedirect: direct, Transport: crashpoint.Transport(&http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		MaxIdleConnsPerHost:   8,
		IdleConnTimeout:       90 * time.Second,
		ForceAttemptHTTP2:     true,
		ExpectContinueTimeout: time.Second,
	})}
}
