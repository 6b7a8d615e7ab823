//go:build goolm

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"matrix-registration-bot/config"
)

// grantTime is how long each call of the admin API may take.
const grantTime = 30 * time.Second

// grantAdminCommand makes the bot's user a server admin, with the access token
// of somebody who is one.
func grantAdminCommand(around *surroundings) *cobra.Command {
	var tokenFile string
	var yes bool
	line := subcommand("grant-admin", "Make the bot a server admin on Synapse, with an admin's access token", func() error {
		if tokenFile == "" {
			return usageError{errors.New("--access-token-file is missing")}
		}
		return grantAdmin(around, tokenFile, yes)
	})
	line.Flags().StringVar(&tokenFile, "access-token-file", "", "a `FILE` that holds the access token of a server admin")
	line.Flags().BoolVar(&yes, "yes", false, "don't ask")
	return line
}

func grantAdmin(around *surroundings, tokenFile string, yes bool) error {
	cfg, err := config.Load(around.configPath, around.environ)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(tokenFile)
	if err != nil {
		return usageError{fmt.Errorf("--access-token-file: %w", err)}
	}
	token := strings.TrimSpace(string(content))
	base := cfg.API.BaseURL
	if base == "" {
		base = cfg.Homeserver.Address
	}
	ctx := context.Background()
	bot := cfg.BotUserID()
	// Synapse would make a user that nobody can log in to: the bot's is made by its registration.
	target := base + "/_synapse/admin/v2/users/" + url.PathEscape(bot)
	if err := adminCall(ctx, http.MethodGet, target, token, nil); err != nil {
		return err
	}
	if !yes {
		fmt.Fprintf(around.stdout, "Make %s a server admin at %s? [y/N] ", bot, base)
		said, err := bufio.NewReader(around.stdin).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading the answer: %w", err)
		}
		if said = strings.ToLower(strings.TrimSpace(said)); said != "y" && said != "yes" {
			return errors.New("nothing was changed")
		}
	}
	if err := adminCall(ctx, http.MethodPut, target, token, map[string]bool{"admin": true}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(around.stdout, "%s is a server admin now.\n", bot)
	return err
}

// adminCall calls Synapse's user admin API ("Create or modify account").
func adminCall(ctx context.Context, method, target, token string, body any) error {
	ctx, cancel := context.WithTimeout(ctx, grantTime)
	defer cancel()
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := newHTTPClient().Do(req)
	if err != nil {
		return fmt.Errorf("asking the admin API: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	var said struct {
		Errcode string `json:"errcode"`
		Error   string `json:"error"`
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<16)).Decode(&said)
	switch {
	case said.Errcode == "M_UNKNOWN_TOKEN":
		return errors.New("the homeserver does not know this access token")
	case said.Errcode == "M_FORBIDDEN":
		return errors.New("this access token is not a server admin's")
	case said.Errcode == "M_NOT_FOUND":
		return errors.New("the bot's user does not exist yet: start the bot once, then try again")
	case said.Errcode == "" || said.Errcode == "M_UNRECOGNIZED":
		return fmt.Errorf("there is no admin API at this address (HTTP %d): set api.base_url to Synapse's internal address; for Dendrite and MAS, which know no such right of the bot, see docs/servers.md", resp.StatusCode)
	}
	return fmt.Errorf("the admin API answered HTTP %d %s: %s", resp.StatusCode, said.Errcode, said.Error)
}
