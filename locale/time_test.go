package locale

import (
	"testing"
	"time"
)

func english(t *testing.T) Language {
	t.Helper()
	catalog, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return catalog.Language("en")
}

func TestTimesSayHowFarAwayTheyAre(t *testing.T) {
	now := time.Date(2026, 11, 24, 5, 50, 0, 0, time.UTC)
	berlin := time.FixedZone("CET", 3600)
	for _, test := range []struct {
		t    time.Time
		want string
	}{
		{now.Add(7 * 24 * time.Hour), "Tue 1 Dec 2026 05:50 UTC, in 7 days"},
		{now.Add(7*24*time.Hour - time.Second), "Tue 1 Dec 2026 05:49 UTC, in 7 days"},
		{now.Add(26 * time.Hour), "Wed 25 Nov 2026 07:50 UTC, in 26 hours"},
		{now.Add(48 * time.Hour), "Thu 26 Nov 2026 05:50 UTC, in 2 days"},
		{now.Add(90 * time.Minute), "Tue 24 Nov 2026 07:20 UTC, in 90 minutes"},
		{now.Add(time.Minute), "Tue 24 Nov 2026 05:51 UTC, in 1 minute"},
		{now.Add(time.Second), "Tue 24 Nov 2026 05:50 UTC, in less than a minute"},
		{now.Add(-3 * time.Hour), "Tue 24 Nov 2026 02:50 UTC, 3 hours ago"},
		{now.Add(24 * time.Hour).In(berlin), "Wed 25 Nov 2026 06:50 CET, in 24 hours"},
	} {
		if got := english(t).When(test.t, now).Plain; got != test.want {
			t.Errorf("%q instead of %q", got, test.want)
		}
	}
}

func TestALongDateLeavesNothingToGuess(t *testing.T) {
	at := time.Date(2026, 12, 1, 5, 50, 0, 0, time.UTC)
	if got, want := english(t).LongDate(at).Plain, "Tuesday, 1 December 2026, 05:50 UTC"; got != want {
		t.Errorf("%q instead of %q", got, want)
	}
}

func TestGermanDeclinesItsUnits(t *testing.T) {
	catalog, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	german := catalog.Language("de")
	now := time.Date(2026, 3, 1, 5, 50, 0, 0, time.UTC)
	for away, want := range map[time.Duration]string{
		7 * 24 * time.Hour:  "So 8. März 2026 05:50 UTC, in 7 Tagen",
		-7 * 24 * time.Hour: "So 22. Feb. 2026 05:50 UTC, vor 7 Tagen",
		time.Minute:         "So 1. März 2026 05:51 UTC, in 1 Minute",
		-3 * time.Hour:      "So 1. März 2026 02:50 UTC, vor 3 Stunden",
		-time.Second:        "So 1. März 2026 05:49 UTC, vor weniger als einer Minute",
	} {
		if got := german.When(now.Add(away), now).Plain; got != want {
			t.Errorf("%q instead of %q", got, want)
		}
	}
	if got := german.Span(7 * 24 * time.Hour).Plain; got != "7 Tage" {
		t.Errorf("%q", got)
	}
	if got, want := german.LongDate(now).Plain, "Sonntag, 1. März 2026, 05:50 UTC"; got != want {
		t.Errorf("%q instead of %q", got, want)
	}
}
