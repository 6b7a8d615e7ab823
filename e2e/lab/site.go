package lab

import (
	"context"
	"crypto/rand"
	"fmt"
)

// Site is a homeserver with its bot, set up as their admin would do it.
type Site struct {
	*Synapse
	Bot   *Bot
	Admin *Person // who may do everything with the bot
}

// SiteOptions say how a site differs from one that `init` makes by default.
type SiteOptions struct {
	Name        string   // of its folder in the lab
	Admin       string   // user name of the bot's admin
	DatabaseURI string   // empty: SQLite, as init does it
	Init        []string // further arguments for init
	Interval    string   // notify.interval; empty: as init writes it
}

// NewSite sets up a homeserver and a bot, starts both, makes the bot a server
// admin and registers the bot's own admin.
func (l *Lab) NewSite(ctx context.Context, options SiteOptions) (*Site, error) {
	dir, err := l.Folder(options.Name)
	if err != nil {
		return nil, err
	}
	synapsePort, err := l.FreePort()
	if err != nil {
		return nil, err
	}
	botPort, err := l.FreePort()
	if err != nil {
		return nil, err
	}
	arguments := append([]string{
		"--domain", serverName,
		"--homeserver", fmt.Sprintf("http://127.0.0.1:%d", synapsePort),
		"--admin", fmt.Sprintf("@%s:%s", options.Admin, serverName),
	}, options.Init...)
	if options.DatabaseURI != "" {
		arguments = append(arguments, "--database", options.DatabaseURI)
	}
	l.Announce("Running `matrix-registration-bot init` (%s)", options.Name)
	site := &Site{}
	if site.Bot, err = l.newBot(ctx, dir, botPort, arguments...); err != nil {
		return nil, err
	}
	if options.Interval != "" {
		if err := site.Bot.EditConfig("interval: 1m", "interval: "+options.Interval); err != nil {
			return nil, err
		}
	}
	if site.Synapse, err = l.newSynapse(ctx, dir, serverName, synapsePort, site.Bot.Registration); err != nil {
		return nil, err
	}
	site.Bot.UserID = site.UserID("registration-bot")

	l.Announce("Starting Synapse (%s)", options.Name)
	if err := site.Synapse.Start(ctx); err != nil {
		return nil, err
	}
	if err := site.Appoint(ctx); err != nil {
		return nil, err
	}
	l.Announce("Starting the bot (%s)", options.Name)
	if err := site.Bot.Start(ctx); err != nil {
		return nil, err
	}
	l.Announce("Making the bot a server admin (%s)", options.Name)
	if err := site.Bot.Reached(ctx); err != nil {
		return nil, err
	}
	if err := site.SetAdmin(ctx, site.Bot.UserID, true); err != nil {
		return nil, err
	}
	if site.Admin, err = site.NewPerson(ctx, options.Admin); err != nil {
		return nil, err
	}
	return site, nil
}

// NewPerson registers somebody and logs them in.
func (s *Site) NewPerson(ctx context.Context, name string) (*Person, error) {
	password := rand.Text()
	if err := s.register(ctx, name, password); err != nil {
		return nil, err
	}
	return s.LogIn(ctx, s.UserID(name), password)
}
