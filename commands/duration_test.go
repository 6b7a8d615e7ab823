package commands

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"14d": 14 * day, "2h": 2 * time.Hour, "90m": 90 * time.Minute, "3w": 21 * day, "1d12h": 36 * time.Hour,
		"2 weeks": 14 * day, "1 Day 6 hours": 30 * time.Hour, " 7D ": 7 * day, "1 month": 30 * day, "1y": 365 * day,
		"100y":     100 * 365 * day,
		"2 Wochen": 14 * day, "14 tage": 14 * day, "1 Tag 6 Std": 30 * time.Hour, "3 Monate": 90 * day, "1 Jahr": 365 * day,
		"": 0, "0d": 0, "d": 0, "14": 0, "-1d": 0, "1.5h": 0, "1s": 0, "101y": 0, "99y2y": 0, "9999999999d": 0,
		"999999999w": 0, "7d!": 0, "d7": 0, "٣d": 0, "2 äpfel": 0,
	} {
		got, err := parseDuration(text, inGerman)
		if got != want || (err == nil) != (want != 0) {
			t.Errorf("%q is %v, %v instead of %v", text, got, err, want)
		}
	}
}

// inGerman translates a few units.
func inGerman(word string) string {
	english := map[string]string{"wochen": "week", "tage": "day", "tag": "day", "std": "hour", "monate": "month", "jahr": "year"}
	if known, ok := english[word]; ok {
		return known
	}
	return word
}

func FuzzDuration(f *testing.F) {
	for _, text := range []string{"14d", "1d12h", "2 weeks", "99999999y", "0m", "2026-12-24", "2026-12-24 18:00", "never"} {
		f.Add(text)
	}
	now := time.Date(2026, 11, 24, 5, 50, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDuration(text, inGerman)
		switch {
		case err != nil && d != 0:
			t.Errorf("%v beside an error", d)
		case err == nil && (d <= 0 || d > longestDuration):
			t.Errorf("%q is %v", text, d)
		case err == nil:
			if at, err := parseExpiry(text, now, inGerman); err != nil || !at.After(now) {
				t.Errorf("%q is a duration, but ends %v, %v", text, at, err)
			}
		}
	})
}
