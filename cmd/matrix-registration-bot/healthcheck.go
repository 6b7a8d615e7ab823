//go:build goolm

package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"matrix-registration-bot/config"
)

// healthTimeout is how long a living bot may take to answer.
const healthTimeout = 5 * time.Second

// healthcheckCommand is for containers, which have no shell and no curl.
func healthcheckCommand(around *surroundings) *cobra.Command {
	return subcommand("healthcheck", "Ask the running bot whether it lives: exit code 0 or 1", func() error { return checkHealth(*around) })
}

// checkHealth asks /health at the listen address of the config. A wrong config
// counts as "not alive", because container runtimes know only the exit codes 0
// and 1.
func checkHealth(around surroundings) error {
	cfg, err := config.Load(around.configPath, around.environ)
	if err != nil {
		return fmt.Errorf("finding out where the bot listens: %v", err)
	}
	return askHealth(context.Background(), "http://"+cfg.Appservice.Listen+"/health")
}

// askHealth returns nil if the answer is 200.
func askHealth(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("asking for the bot's health: %w", err)
	}
	client := http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}} // the bot is here, not behind a proxy
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asking for the bot's health: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("asking for the bot's health: it answered %s", resp.Status)
	}
	return nil
}
