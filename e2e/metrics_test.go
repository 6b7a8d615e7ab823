//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

func TestMetricsTellWhatHappenedAndNotToWhom(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		address := s.startMeasured()
		defer func() {
			s.must(s.Bot.Stop())
			s.startBot()
		}()
		anna := s.chatWith(s.personWith("manager", "anna"))
		token := anna.create()
		s.says(anna.ask("show "+token), token)
		anna.ask("frobnicate")
		s.says(s.chatWith(s.personWith("inviter", "ivy")).ask("delete-all"), "inviter")
		sealedChat, _ := s.sealedDM(s.device(s.personWith("manager", "uma"), phone))
		sealedChat.ask("whoami")

		var page scraped
		s.until("the news has looked at the tokens", func() bool {
			page = s.scrape(address)
			return page.value("registration_bot_tokens", "valid") == 1
		})
		for series, want := range map[string]float64{
			`registration_bot_commands_total create done`:            1,
			`registration_bot_commands_total delete-all refused`:     1,
			`registration_bot_commands_total show answered`:          1,
			`registration_bot_commands_total unknown not understood`: 1,
			`registration_bot_commands_total whoami answered`:        1,
			`registration_bot_commands_total allow done`:             3,
			`registration_bot_tokens used`:                           0,
			`registration_bot_up database`:                           1,
			`registration_bot_up homeserver`:                         1,
			`registration_bot_up way_back`:                           1,
			`registration_bot_up token_api`:                          1,
			`registration_bot_inbox_length`:                          0,
			`registration_bot_outbox_length`:                         0,
			`registration_bot_events_set_aside_total`:                0,
			`registration_bot_unreadable_messages_total no_key`:      0,
			`registration_bot_unreadable_messages_total broken`:      0,
			`registration_bot_unreadable_messages_total not_theirs`:  0,
		} {
			name, labels, _ := strings.Cut(series, " ")
			if got := page.value(name, labels); got != want {
				s.Errorf("%s is %v, want %v", series, got, want)
			}
		}
		for _, atLeastOnce := range []string{
			"registration_bot_http_calls_total homeserver 200",
			"registration_bot_http_calls_total tokens 200",
			"registration_bot_answer_seconds",
			"registration_bot_command_seconds create",
			"registration_bot_http_call_seconds tokens",
		} {
			name, labels, _ := strings.Cut(atLeastOnce, " ")
			if page.value(name, labels) < 1 {
				s.Errorf("%s is missing", atLeastOnce)
			}
		}
		for _, secret := range []string{token, "anna", "ivy", "frobnicate", "lab.test", "@", "!", "$"} {
			if strings.Contains(page.text, secret) {
				s.Errorf("the metrics hold %q:\n%s", secret, page.text)
			}
		}
		if documented := documentedMetrics(t); !slices.Equal(documented, page.names()) {
			s.Errorf("docs/monitoring.md lists %q,\nthere are %q", documented, page.names())
		}
	})
}

// documentedMetrics are those in the table of docs/monitoring.md.
func documentedMetrics(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/monitoring.md")
	must(t, err)
	var names []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (?:gauge|counter|histogram) ").FindAllStringSubmatch(string(text), -1) {
		names = append(names, row[1])
	}
	slices.Sort(names)
	return names
}

// startMeasured starts the bot anew, with metrics and quick news, and returns
// where the metrics are.
func (s *scene) startMeasured() (address string) {
	s.Helper()
	port, err := laboratory.FreePort()
	s.must(err)
	address = fmt.Sprintf("127.0.0.1:%d", port)
	s.must(s.Bot.Stop())
	s.must(s.Bot.Launch("METRICS_LISTEN="+address, "NOTIFY_INTERVAL=1s"))
	s.must(s.Bot.Ready(s.Context()))
	s.must(s.Settled(s.Context()))
	return address
}

// scraped is what Prometheus gets.
type scraped struct {
	text     string
	families map[string]*dto.MetricFamily
}

func (s *scene) scrape(address string) scraped {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, "http://"+address+"/metrics", nil)
	s.must(err)
	response, err := http.DefaultClient.Do(request)
	s.must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	s.must(err)
	page := scraped{text: string(text)}
	page.families, err = new(expfmt.TextParser).TextToMetricFamilies(strings.NewReader(page.text))
	s.must(err)
	return page
}

func (p scraped) names() []string { return slices.Sorted(maps.Keys(p.families)) }

// value is that of a series, given by the values of its labels in order; of a
// histogram the number of what it counted. A series that is not there is -1.
func (p scraped) value(name, labels string) float64 {
	for _, metric := range p.families[name].GetMetric() {
		var values []string
		for _, pair := range metric.Label {
			values = append(values, pair.GetValue())
		}
		if strings.Join(values, " ") == labels {
			return metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return -1
}

// until waits for something that only looking again and again shows.
func (s *scene) until(what string, holds func() bool) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.Fatalf("it did not happen that %s", what)
		}
	}
}
