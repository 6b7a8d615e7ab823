//go:build goolm

package main

import (
	"fmt"
	"net/http"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/commands"
	"matrix-registration-bot/config"
	"matrix-registration-bot/news"
	"matrix-registration-bot/tokens"
)

// settingsFrom translates the config for the commands.
func settingsFrom(cfg *config.Config) (commands.Settings, error) {
	zone, err := time.LoadLocation(cfg.Bot.Timezone)
	if err != nil {
		return commands.Settings{}, cfg.Wrong("bot.timezone", "unknown time zone: %v", err)
	}
	permissions := make(access.Permissions, len(cfg.Permissions))
	for who, name := range cfg.Permissions {
		if permissions[who], err = access.ParseRole(name); err != nil {
			return commands.Settings{}, fmt.Errorf("permissions of %s: %w", who, err)
		}
	}
	address := cfg.Homeserver.PublicAddress
	if address == "" {
		address = "https://" + cfg.Homeserver.Domain
	}
	inviter := cfg.Limits.Inviter
	return commands.Settings{
		Language: cfg.Bot.Language, Zone: zone, Prefix: cfg.Bot.Prefix,
		DisplayName: cfg.Bot.Displayname, ServerName: cfg.Homeserver.Domain, Address: address,
		Permissions: permissions,
		Limits: map[access.Role]commands.Limits{
			access.None: {PerMinute: cfg.Limits.None.PerMinute},
			access.Inviter: {
				Uses: inviter.Uses, Expires: inviter.Expires, Open: inviter.Open, PerDay: inviter.PerDay, PerMinute: inviter.PerMinute,
			},
		},
		Create:             commands.CreateDefaults{Uses: cfg.Create.Uses, Expires: cfg.Create.Expires, Length: cfg.Create.Length},
		EncryptionRequired: cfg.Encryption.Required,
		MaxCommandAge:      cfg.Bot.MaxCommandAge,
		Messages:           cfg.Create.Message,
		Apps:               commands.Apps(cfg.Create.Apps),
	}, nil
}

// newsSettings translates the config for the news.
func newsSettings(cfg *config.Config, zone *time.Location) news.Settings {
	return news.Settings{
		Enabled: cfg.Notify.Enabled, Interval: cfg.Notify.Interval, Room: id.RoomID(cfg.Notify.Room),
		Language: cfg.Bot.Language, Zone: zone, EncryptedOnly: cfg.Encryption.Required,
	}
}

// tokensConfig says where tokens are made, and as whom. Without a token of an
// admin the bot asks as itself, with the as_token.
func tokensConfig(cfg *config.Config, reg *config.Registration, client *http.Client) tokens.Config {
	c := tokens.Config{
		Kind: cfg.API.Type, Homeserver: cfg.Homeserver.Address, BaseURL: cfg.API.BaseURL, Token: cfg.API.Token,
		Issuer: cfg.API.Issuer, ClientID: cfg.API.ClientID, ClientSecret: cfg.API.ClientSecret, ClientAuth: cfg.API.ClientAuth,
		UserAgent: "matrix-registration-bot/" + version, HTTP: client,
	}
	if c.Token == "" {
		c.Token, c.UserID = reg.AsToken, cfg.BotUserID()
	}
	return c
}
