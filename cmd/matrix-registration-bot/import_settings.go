//go:build goolm

package main

import (
	"fmt"
	"slices"
	"strings"

	"matrix-registration-bot/oldbot"
)

// carrySettings puts the old bot's settings into ours, and says a line about each.
func carrySettings(found oldbot.Settings, into *settings) (lines []string, err error) {
	if prefix := strings.TrimSpace(found.Value("bot.prefix")); prefix != "" {
		into.Prefix = prefix
	} else {
		lines = append(lines, "bot.prefix was empty\n    -> bot.prefix, needed in group rooms only: "+into.Prefix)
	}
	for _, old := range found {
		became, err := carrySetting(old, found, into)
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %s: %w", old.Place, old.Key, err)}
		}
		lines = append(lines, fmt.Sprintf("%s: %s = %s\n    -> %s", old.Place, old.Key, old.Shown(), became))
	}
	return lines, nil
}

// carrySetting carries one setting over and says what became of it.
func carrySetting(old oldbot.Setting, found oldbot.Settings, into *settings) (became string, err error) {
	switch old.Key {
	case "bot.server":
		return "homeserver.address", nil
	case "bot.username":
		name, isUserID := strings.CutPrefix(old.Value, "@")
		name, domain, _ := strings.Cut(name, ":")
		if isUserID && domain != into.Domain {
			return "", fmt.Errorf("%s is not on %s, as --domain says", old.Value, into.Domain)
		}
		into.Username = name
		return "bot.username: the bot stays " + into.UserID(), nil
	case "bot.password", "bot.access_token":
		return "left out: the bot logs in with registration.yaml", nil
	case "bot.prefix":
		return "bot.prefix, needed in group rooms only: " + into.Prefix, nil
	case "api.base_url":
		if old.Value == found.Value("bot.server") {
			return "left out: it is homeserver.address", nil
		}
		into.AdminAPI = old.Value
		return "api.base_url", nil
	case "api.token":
		if old.Value == found.Value("bot.access_token") {
			return "left out: the bot's own; it makes tokens as itself, and so must be a server admin", nil
		}
		into.AdminToken = old.Value
		return "api.token. If it is of the bot's own account, empty it: the bot ends all old sessions of its account", nil
	case "api.username", "api.password":
		return "left out: the bot makes tokens as itself, and so must be a server admin", nil
	case "logging.level":
		into.LogLevel = "info"
		if level := strings.ToLower(old.Value); slices.Contains([]string{"debug", "error"}, level) {
			into.LogLevel = level
		}
		return "logging.level: " + into.LogLevel, nil
	default:
		return "left out: the old bot did not read it, or it means nothing here", nil
	}
}
