package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

var errDuration = errors.New(`not a time span like 30m, 12h, 7d or 2w`)

// parseDuration reads Go's form of durations and whole weeks and days before
// it: "2w", "7d", "1d12h", "90m".
func parseDuration(text string) (time.Duration, error) {
	var sum time.Duration
	rest := text
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"w", week}, {"d", day}} {
		digits, after, found := strings.Cut(rest, unit.letter)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || n > uint64((math.MaxInt64-sum)/unit.length) { // #nosec G115 -- not negative
			return 0, errDuration
		}
		sum += time.Duration(n) * unit.length
		rest = after
	}
	if rest == "" && text != "" {
		return sum, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || d > math.MaxInt64-sum {
		return 0, errDuration
	}
	return sum + d, nil
}
