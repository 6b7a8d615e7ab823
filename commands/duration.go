package commands

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// longestDuration bounds what people can ask for, far below what overflows.
const longestDuration = 100 * 365 * 24 * time.Hour

var errNotATime = errors.New("neither a length of time nor a date")

var durationPart = regexp.MustCompile(`^(\d{1,9})\s*(\p{L}+)\s*`)

// parseDuration reads what people write in chat: "14d", "2h", "1d12h",
// "2 weeks". A month is 30 days and a year 365. meaning translates the units.
func parseDuration(text string, meaning func(word string) string) (time.Duration, error) {
	rest := strings.ToLower(strings.TrimSpace(text))
	var sum time.Duration
	for rest != "" {
		part := durationPart.FindStringSubmatch(rest)
		if part == nil {
			return 0, errNotATime
		}
		n, err := strconv.Atoi(part[1])
		unit := unitOf(meaning(part[2]))
		if err != nil || unit == 0 || time.Duration(n) > longestDuration/unit {
			return 0, errNotATime
		}
		sum += time.Duration(n) * unit
		if sum > longestDuration {
			return 0, errNotATime
		}
		rest = rest[len(part[0]):]
	}
	if sum == 0 {
		return 0, errNotATime
	}
	return sum, nil
}

// unitOf is the length of a unit, 0 if there is none of that name.
func unitOf(name string) time.Duration {
	switch name {
	case "m", "min", "mins", "minute", "minutes":
		return time.Minute
	case "h", "hour", "hours":
		return time.Hour
	case "d", "day", "days":
		return 24 * time.Hour
	case "w", "week", "weeks":
		return 7 * 24 * time.Hour
	case "month", "months":
		return 30 * 24 * time.Hour
	case "y", "year", "years":
		return 365 * 24 * time.Hour
	}
	return 0
}

// parseExpiry reads when something ends: a length of time from now, a date
// (to the end of that day, in the zone of now) or a date with a time of day.
func parseExpiry(text string, now time.Time, meaning func(word string) string) (time.Time, error) {
	if d, err := parseDuration(text, meaning); err == nil {
		return now.Add(d), nil
	}
	text = strings.TrimSpace(text)
	for _, layout := range []string{time.DateOnly, "2.1.2006"} {
		if day, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return day.AddDate(0, 0, 1).Add(-time.Minute), nil
		}
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", "2.1.2006 15:04"} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errNotATime
}
