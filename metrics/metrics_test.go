package metrics

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// scraped reads a page as Prometheus does.
func scraped(t *testing.T, m *Metrics, s Snapshot) (text string, families map[string]*dto.MetricFamily) {
	t.Helper()
	var p page
	m.write(&p, s)
	families, err := new(expfmt.TextParser).TextToMetricFamilies(strings.NewReader(p.text.String()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, p.text.String())
	}
	return p.text.String(), families
}

// has checks that each line stands on the page.
func has(t *testing.T, text string, lines ...string) {
	t.Helper()
	all := slices.Collect(strings.Lines(text))
	for _, line := range lines {
		if !slices.Contains(all, line+"\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
}

func TestCommandsAreCountedByNameAndResult(t *testing.T) {
	m := New("1.0")
	m.Command("create", "done", 20*time.Millisecond)
	m.Command("create", "done", 2*time.Second)
	m.Command("create", "refused", 2*time.Hour)
	m.Command("list", "answered", 0)
	text, _ := scraped(t, m, Snapshot{})
	has(t, text,
		`registration_bot_commands_total{command="create",result="done"} 2`,
		`registration_bot_commands_total{command="create",result="refused"} 1`,
		`registration_bot_commands_total{command="list",result="answered"} 1`,
		`registration_bot_command_seconds_bucket{command="create",le="0.01"} 0`,
		`registration_bot_command_seconds_bucket{command="create",le="0.025"} 1`,
		`registration_bot_command_seconds_bucket{command="create",le="2.5"} 2`,
		`registration_bot_command_seconds_bucket{command="create",le="60"} 2`,
		`registration_bot_command_seconds_bucket{command="create",le="+Inf"} 3`,
		`registration_bot_command_seconds_sum{command="create"} 7202.02`,
		`registration_bot_command_seconds_count{command="create"} 3`,
	)
}

func TestWhatGoesWrongIsThereBeforeItHappens(t *testing.T) {
	m := New("1.0", "no_key")
	text, _ := scraped(t, m, Snapshot{})
	has(t, text,
		`registration_bot_unreadable_messages_total{reason="no_key"} 0`,
		`registration_bot_handling_failures_total 0`,
		`registration_bot_events_set_aside_total 0`,
		`registration_bot_sending_failures_total 0`,
		`registration_bot_messages_dropped_total 0`,
		`registration_bot_starts_over_total 0`,
	)
	m.Unreadable("no_key")
	m.HandlingFailed()
	m.SetAside()
	m.SendingFailed()
	m.Dropped()
	m.StartedOver()
	text, _ = scraped(t, m, Snapshot{})
	has(t, text,
		`registration_bot_unreadable_messages_total{reason="no_key"} 1`,
		`registration_bot_handling_failures_total 1`,
		`registration_bot_events_set_aside_total 1`,
		`registration_bot_sending_failures_total 1`,
		`registration_bot_messages_dropped_total 1`,
		`registration_bot_starts_over_total 1`,
	)
}

func TestWhatIsNotKnownIsLeftOut(t *testing.T) {
	m := New("1.0")
	text, families := scraped(t, m, Snapshot{Up: map[string]bool{"database": false}})
	has(t, text, `registration_bot_up{part="database"} 0`)
	for _, name := range []string{"inbox_length", "outbox_oldest_seconds", "tokens", "tokens_looked_timestamp_seconds"} {
		if families[prefix+name] != nil {
			t.Errorf("there is a %s", name)
		}
	}
	m.Tokens(map[string]int{"valid": 3, "used": 0}, time.UnixMilli(1_700_000_000_500))
	text, _ = scraped(t, m, Snapshot{
		Up:    map[string]bool{"database": true},
		Inbox: &Queue{Length: 2, Age: 90 * time.Second}, Outbox: &Queue{},
	})
	has(t, text,
		`registration_bot_up{part="database"} 1`,
		`registration_bot_inbox_length 2`, `registration_bot_inbox_oldest_seconds 90`,
		`registration_bot_outbox_length 0`, `registration_bot_outbox_oldest_seconds 0`,
		`registration_bot_tokens{state="used"} 0`, `registration_bot_tokens{state="valid"} 3`,
		`registration_bot_tokens_looked_timestamp_seconds 1.7000000005e+09`,
	)
}

func TestThePageNamesTheProgramAndItsProcess(t *testing.T) {
	text, families := scraped(t, New(`1.0-"quoted\`+"\n"), Snapshot{})
	if !strings.Contains(text, `registration_bot_build_info{version="1.0-\"quoted\\\n",goversion="go1.`) {
		t.Errorf("the version is missing in\n%s", text)
	}
	for name, atLeast := range map[string]float64{
		"process_cpu_seconds_total": 0, "process_resident_memory_bytes": 1 << 20, "process_start_time_seconds": 1.7e9,
		"go_goroutines": 1, "go_memstats_heap_alloc_bytes": 1 << 10, "go_gc_gomemlimit_bytes": 1 << 20,
	} {
		family := families[name]
		if family == nil {
			t.Errorf("%s is missing", name)
			continue
		}
		if got := family.Metric[0].GetGauge().GetValue() + family.Metric[0].GetCounter().GetValue(); got < atLeast || got != got {
			t.Errorf("%s is %v", name, got)
		}
	}
}

func TestEveryFamilyIsExplainedOnce(t *testing.T) {
	m := New("1.0")
	m.Answered(time.Second)
	text, families := scraped(t, m, Snapshot{})
	for name, family := range families {
		if family.GetHelp() == "" || strings.Count(text, "# TYPE "+name+" ") != 1 {
			t.Errorf("%s is not explained, or more than once", name)
		}
	}
	if names := slices.Collect(maps.Keys(families)); len(names) < 10 {
		t.Errorf("only %q", names)
	}
}
