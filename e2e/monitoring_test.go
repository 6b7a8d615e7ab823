//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"matrix-registration-bot/e2e/lab"
)

const monitoring = "../deploy/monitoring"

func TestTheAlertsFireWhenTheyShould(t *testing.T) {
	must(t, laboratory.Promtool(t.Context(), "check", "rules", path(t, "alerts.yaml")))
	must(t, laboratory.Promtool(t.Context(), "test", "rules", path(t, "alerts.test.yaml")))
}

func TestTheDashboardAndTheAlertsWorkInPrometheus(t *testing.T) {
	onDatabase(t, "sqlite", func(s *scene) {
		address := s.startMeasured()
		defer func() {
			s.must(s.Bot.Stop())
			s.startBot()
		}()
		prometheus, err := laboratory.StartPrometheus(s.Context(), address, path(t, "alerts.yaml"))
		s.must(err)
		defer func() { s.must(prometheus.Stop()) }()
		s.chatWith(s.personWith("manager", "anna")).create()

		have := s.scrape(address).names()
		expressions := dashboardExpressions(t)
		s.knowsAll(have, "the dashboard", strings.Join(expressions, "\n"))
		for _, expression := range expressions {
			s.until(expression+" has values", func() bool {
				values, err := prometheus.Query(s.Context(), expression)
				s.must(err)
				return len(values) > 0
			})
		}

		rules, err := os.ReadFile(path(t, "alerts.yaml"))
		s.must(err)
		s.knowsAll(have, "the alerts", string(rules))
		s.until("all alerts are computed, and none is about to fire", func() bool { return s.quiet(prometheus) })
	})
}

// quiet tells whether nothing is wrong by the alerts.
func (s *scene) quiet(prometheus *lab.Prometheus) bool {
	s.Helper()
	alerts, err := prometheus.Rules(s.Context())
	s.must(err)
	for _, alert := range alerts {
		if alert != [2]string{"ok", "inactive"} {
			return false
		}
	}
	return len(alerts) > 0
}

// knowsAll checks that the bot has all the metrics that somebody names.
func (s *scene) knowsAll(have []string, who, text string) {
	s.Helper()
	named := regexp.MustCompile(`\b(registration_bot|process|go)_\w+`).FindAllString(text, -1)
	if len(named) == 0 {
		s.Errorf("%s names no metrics", who)
	}
	for _, name := range named {
		family := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
		if !slices.Contains(have, family) {
			s.Fatalf("%s wants %s, which the bot does not have", who, name)
		}
	}
}

// dashboardExpressions are those of all panels, for all bots.
func dashboardExpressions(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(path(t, "dashboard.json"))
	must(t, err)
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	must(t, json.Unmarshal(text, &dashboard))
	var expressions []string
	for _, panel := range dashboard.Panels {
		if len(panel.Targets) == 0 {
			t.Errorf("the panel %q is empty", panel.Title)
		}
		for _, target := range panel.Targets {
			expressions = append(expressions, strings.NewReplacer("$instance", ".*", "$__rate_interval", "1m").Replace(target.Expr))
		}
	}
	return expressions
}

func path(t *testing.T, name string) string {
	t.Helper()
	file, err := filepath.Abs(filepath.Join(monitoring, name))
	must(t, err)
	return file
}
