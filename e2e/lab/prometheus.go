package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Prometheus is a server that watches a bot.
type Prometheus struct {
	url     string
	process *process
}

// Promtool checks Prometheus' files: it runs with these arguments to its end.
func (l *Lab) Promtool(ctx context.Context, arguments ...string) error {
	unpacked, err := l.unpackDebian(ctx, "prometheus")
	if err != nil {
		return err
	}
	return l.run(ctx, filepath.Join(unpacked, "usr/bin/promtool"), arguments...)
}

// StartPrometheus starts a server that asks a bot for its metrics twice a second
// and goes by a file of rules.
func (l *Lab) StartPrometheus(ctx context.Context, bot, rules string) (*Prometheus, error) {
	unpacked, err := l.unpackDebian(ctx, "prometheus")
	if err != nil {
		return nil, err
	}
	dir, err := l.Folder("prometheus")
	if err != nil {
		return nil, err
	}
	port, err := l.FreePort()
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "prometheus.yaml")
	err = os.WriteFile(config, fmt.Appendf(nil, `
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}
rule_files: [%q]
scrape_configs:
  - job_name: matrix-registration-bot
    static_configs: [{targets: [%q]}]
`, rules, bot), 0o644)
	if err != nil {
		return nil, err
	}
	l.Announce("Starting Prometheus")
	p := &Prometheus{url: fmt.Sprintf("http://127.0.0.1:%d", port)}
	p.process, err = start("Prometheus", filepath.Join(dir, "prometheus.log"), exec.Command(filepath.Join(unpacked, "usr/bin/prometheus"),
		"--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), fmt.Sprintf("--web.listen-address=127.0.0.1:%d", port)))
	if err != nil {
		return nil, err
	}
	l.onClose(func() { _ = p.Stop() })
	return p, p.process.until(ctx, "Prometheus has seen the bot", func(ctx context.Context) error {
		values, err := p.Query(ctx, "registration_bot_build_info")
		if err == nil && len(values) == 0 {
			err = errors.New("it has no metrics of the bot")
		}
		return err
	})
}

// Stop ends the server.
func (p *Prometheus) Stop() error { return p.process.stop(syscall.SIGTERM, 10*time.Second) }

// Query returns the values that an expression has now.
func (p *Prometheus) Query(ctx context.Context, expression string) (values []string, err error) {
	var answer struct {
		Result []struct {
			Value [2]any `json:"value"` // time and text
		} `json:"result"`
	}
	if err := p.ask(ctx, "query?query="+url.QueryEscape(expression), &answer); err != nil {
		return nil, fmt.Errorf("asking Prometheus for %s: %w", expression, err)
	}
	for _, series := range answer.Result {
		values = append(values, fmt.Sprint(series.Value[1]))
	}
	return values, nil
}

// Rules returns how each alert is: its health ("ok" when its expression can be
// computed) and its state ("inactive", "pending" or "firing").
func (p *Prometheus) Rules(ctx context.Context) (map[string][2]string, error) {
	var answer struct {
		Groups []struct {
			Rules []struct {
				Name   string `json:"name"`
				Health string `json:"health"`
				State  string `json:"state"`
			} `json:"rules"`
		} `json:"groups"`
	}
	if err := p.ask(ctx, "rules", &answer); err != nil {
		return nil, fmt.Errorf("asking Prometheus for its rules: %w", err)
	}
	rules := make(map[string][2]string)
	for _, group := range answer.Groups {
		for _, rule := range group.Rules {
			rules[rule.Name] = [2]string{rule.Health, rule.State}
		}
	}
	return rules, nil
}

// ask calls Prometheus' API.
func (p *Prometheus) ask(ctx context.Context, call string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/api/v1/"+call, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	wrapped := struct {
		Error string `json:"error"`
		Data  any    `json:"data"`
	}{Data: answer}
	if err := json.NewDecoder(response.Body).Decode(&wrapped); err != nil {
		return fmt.Errorf("%s: %w", response.Status, err)
	}
	if wrapped.Error != "" {
		return fmt.Errorf("%s: %s", response.Status, wrapped.Error)
	}
	return nil
}
