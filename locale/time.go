package locale

import (
	"math"
	"strings"
	"time"
)

// Span is a length of time in its most telling unit: "7 days", "26 hours".
func (l Language) Span(d time.Duration) Text { return l.span("time.", d) }

// span is a length of time in the words of some of the keys: languages decline
// units after "in" and "ago".
func (l Language) span(keys string, d time.Duration) Text {
	switch minutes, hours := round(d, time.Minute), round(d, time.Hour); {
	case hours >= 48:
		return l.Text(keys+"days", Args{"n": round(d, 24*time.Hour)})
	case minutes >= 120:
		return l.Text(keys+"hours", Args{"n": hours})
	case minutes >= 1:
		return l.Text(keys+"minutes", Args{"n": minutes})
	default:
		return l.Text(keys+"moment", nil)
	}
}

func round(d, unit time.Duration) int {
	return int(math.Round(float64(d) / float64(unit)))
}

// Date is a point in time with its zone: "Tue 1 Dec 2026 05:50 UTC".
func (l Language) Date(t time.Time) Text {
	return l.Text("time.date", Args{
		"weekday": l.word("time.weekdays", int(t.Weekday())),
		"day":     t.Day(),
		"month":   l.word("time.months", int(t.Month())-1),
		"year":    t.Year(),
		"clock":   t.Format("15:04 MST"),
	})
}

// LongDate is a point in time for people who should not have to guess:
// "Tuesday, 1 December 2026, 05:50 UTC".
func (l Language) LongDate(t time.Time) Text {
	return l.Text("time.long_date", Args{
		"weekday": l.word("time.long_weekdays", int(t.Weekday())),
		"day":     t.Day(),
		"month":   l.word("time.long_months", int(t.Month())-1),
		"year":    t.Year(),
		"clock":   t.Format("15:04 MST"),
	})
}

// When is a point in time with its zone and how far away it is:
// "Tue 1 Dec 2026 05:50 UTC, in 7 days".
func (l Language) When(t, now time.Time) Text {
	keys := "time.in_"
	if !t.After(now) {
		keys = "time.ago_"
	}
	return Join(", ", l.Date(t), l.span(keys, t.Sub(now).Abs()))
}

// word is the n-th word (from 0) of a text that is a list of words.
func (l Language) word(key string, n int) string {
	words := strings.Fields(l.Text(key, nil).Plain)
	if n >= len(words) {
		return key
	}
	return words[n]
}
