//go:build goolm

package main

import (
	"context"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/id"

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
	a := &app{around: around}
	if err := a.configure(); err != nil {
		return nil, err
	}
	var err error
	if a.db, err = store.Open(a.cfg.Database.URI, part(a.log, "store")); err != nil {
		return nil, a.cfg.Wrong("database.uri", "%v", err)
	}
	a.metrics = metrics.New(version, chat.UnreadableReasons()...)
	client := newHTTPClient()
	tokensFrom := tokensConfig(a.cfg, a.reg, counted(a.metrics, "tokens", client))
	tokensFrom.IDs = a.db
	server, err := tokens.New(tokensFrom)
	if err != nil {
		return nil, err
	}
	bot := id.UserID(a.cfg.BotUserID())
	a.tokenAPI = &tokenAPI{server: server, bot: bot, log: a.log}
	dispatcher := commands.New(commands.Options{
		Server: server, Store: a.db, Catalog: a.catalog, Bot: bot, Now: time.Now, Log: part(a.log, "commands"),
		Settings: func() commands.Settings { return *a.settings.Load() },
		Observe:  a.metrics.Command,
	})
	a.bot = chat.New(chat.Config{
		Homeserver: a.cfg.Homeserver.Address, UserID: bot, Displayname: a.cfg.Bot.Displayname,
		Avatar: id.ContentURIString(a.cfg.Bot.Avatar), AppserviceID: a.reg.ID, ASToken: a.reg.AsToken,
		Encryption: chat.Encryption{
			Enabled: a.cfg.Encryption.Enabled, PickleKey: a.cfg.Encryption.PickleKey,
			CrossSigned: a.cfg.Encryption.MinTrust == "cross-signed",
		},
		Store: a.db, Commands: dispatcher, DescribeCommands: a.cfg.Bot.DescribeCommands,
		HTTP: counted(a.metrics, "homeserver", client), Observer: a.metrics, Log: part(a.log, "chat"),
		Language: func() locale.Language { return a.catalog.Language(a.settings.Load().Language) },
		Admins:   func() []string { return a.settings.Load().Admins() },
	})
	a.intake = newIntake(a.db, a.bot, part(a.log, "intake"))
	a.news = news.New(news.Options{
		Server: tally{server, a.metrics}, Store: a.db, Chat: a.bot, Roles: dispatcher, Catalog: a.catalog, Bot: bot, Now: time.Now, Log: part(a.log, "news"),
		Settings: func() news.Settings { return *a.notify.Load() },
	})
	return a, nil
}

// configure reads the config and the registration, checks them and says what the
// admin should know of them.
func (a *app) configure() (err error) {
	if a.cfg, err = config.Load(a.around.configPath, a.around.environ); err != nil {
		return err
	}
	if a.reg, err = config.LoadRegistration(a.cfg.Appservice.Registration); err != nil {
		return err
	}
	warnings, err := config.Check(a.cfg, a.reg)
	if err != nil {
		return err
	}
	a.log = newLog(a.around, a.cfg.Logging.Level, a.cfg.Logging.Format)
	for _, warning := range slices.Concat(a.cfg.Warnings, warnings) {
		a.log.Warn().Msg(warning)
	}
	for _, path := range a.cfg.OpenToAll() {
		a.log.Warn().Str("file", path).Msg("Everybody on this machine can read a file that holds secrets: take that right away (chmod o=)")
	}
	if len(a.cfg.FromEnvironment) > 0 {
		a.log.Info().Strs("keys", a.cfg.FromEnvironment).Msg("These settings come from the environment")
	}
	if a.catalog, err = locale.Load(); err != nil {
		return err
	}
	if names := a.catalog.Names(); !slices.Contains(names, a.cfg.Bot.Language) {
		return a.cfg.Wrong("bot.language", "there is no such language: the bot speaks %s", strings.Join(names, ", "))
	}
	return a.use(a.cfg)
}

// use makes the settings of a config those that hold from now on.
func (a *app) use(cfg *config.Config) error {
	settings, err := settingsFrom(cfg)
	if err != nil {
		return err
	}
	settings.Identity = func(context.Context) (deviceID, fingerprint, masterKey string, ok bool) {
		f, ok := a.bot.Fingerprint()
		return f.DeviceID, f.DeviceKey, f.MasterKey, ok
	}
	notify := newsSettings(cfg, settings.Zone)
	a.settings.Store(&settings)
	a.notify.Store(&notify)
	return nil
}

func (a *app) close() {
	if err := closeTokens(a.tokenAPI.server); err != nil {
		a.log.Warn().Err(err).Msg("An access token was not given back")
	}
	if err := a.db.Close(); err != nil {
		a.log.Warn().Err(err).Msg("Closing the database failed")
	}
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
