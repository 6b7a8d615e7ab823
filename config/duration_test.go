package config

import (
	"testing"
	"time"
)

func TestTimeSpansKnowDaysAndWeeks(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"7d": 7 * day, "2w": 14 * day, "1w2d": 9 * day, "1d12h": 36 * time.Hour, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute,
		"1.5h": 90 * time.Minute, "0": 0, "0d": 0,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%s is %s (%v), want %s", text, got, err, want)
		}
	}
}

func TestWhatIsNoTimeSpan(t *testing.T) {
	for _, text := range []string{
		"", "7", "d", "-7d", "-1h", "7d-1h", "1.5d", "2d1w", "1d1d", "7 days", "+7d", "never", "7D", "4294967296d", "20000w", "99999999h", "106751d24h",
	} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q was read as %s, want an error", text, got)
		}
	}
}
