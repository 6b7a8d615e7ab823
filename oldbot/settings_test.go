package oldbot_test

import (
	"slices"
	"strings"
	"testing"

	"matrix-registration-bot/oldbot"
)

func TestSettingsOfTheREADME(t *testing.T) {
	found, err := oldbot.ReadSettings("config.yml", []byte(`bot:
  server: "https://synapse.example.com"
  username: "registration-bot"
  access_token: "verysecret"
  # It is also possible to use a password based login
  # password: "secretpassword"
  prefix: ""
api:
  # API endpoint of the registration tokens
  base_url: 'https://synapse.example.com'
  token: "supersecret"
logging:
  level: DEBUG/INFO/ERROR
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := oldbot.Settings{
		{Key: "bot.server", Value: "https://synapse.example.com", Place: "config.yml:2"},
		{Key: "bot.username", Value: "registration-bot", Place: "config.yml:3"},
		{Key: "bot.access_token", Value: "verysecret", Place: "config.yml:4"},
		{Key: "api.base_url", Value: "https://synapse.example.com", Place: "config.yml:10"},
		{Key: "api.token", Value: "supersecret", Place: "config.yml:11"},
		{Key: "logging.level", Value: "DEBUG/INFO/ERROR", Place: "config.yml:13"},
	}
	if !slices.Equal(found, want) {
		t.Errorf("found %+v", found)
	}
}

func TestTheEnvironmentWins(t *testing.T) {
	found, err := oldbot.ReadSettings("config.yml", []byte("bot:\n  server: https://old.example.com\n  username: bot\n"), []string{
		"BOT_SERVER=https://new.example.com", "BOT_PASSWORD=pass=word", "API_TOKEN=", "BOT_PREFIX=!", "HOME=/root",
	})
	want := oldbot.Settings{
		{Key: "bot.server", Value: "https://new.example.com", Place: "BOT_SERVER"},
		{Key: "bot.username", Value: "bot", Place: "config.yml:3"},
		{Key: "bot.password", Value: "pass=word", Place: "BOT_PASSWORD"},
	}
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestValuesAreTakenAsTheyAreWritten(t *testing.T) {
	found, err := oldbot.ReadSettings("config.yml", []byte("bot:\n  username: 0123\n  password: on\n  prefix:\napi:\nlogging: {level: ~}"), nil)
	if err != nil || found.Value("bot.username") != "0123" || found.Value("bot.password") != "on" || len(found) != 2 {
		t.Errorf("found %+v, %v", found, err)
	}
}

func TestABrokenConfigNamesItsLine(t *testing.T) {
	for content, place := range map[string]string{
		"bot:\n\tserver: x\n":           "line 2",
		"bot:\n  username: @bot:x\n":    "line 2",
		"bot:\n  - server\n":            "config.yml:2: bot must hold keys",
		"just a text":                   "config.yml:1: the file must hold keys",
		"bot:\n  server: [a, b]\n":      "config.yml:2: bot.server must be one value",
		"bot: {server: {a: b}}\napi: x": "config.yml:1: bot.server must be one value",
	} {
		if _, err := oldbot.ReadSettings("config.yml", []byte(content), nil); err == nil || !strings.Contains(err.Error(), place) {
			t.Errorf("%q is read with %v, which does not name %s", content, err, place)
		}
	}
}
