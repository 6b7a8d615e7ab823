//go:build goolm

package main

import (
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
)

func TestTheLogLevelCanBeChangedInBothDirections(t *testing.T) {
	defer setLogLevel("info")
	var out strings.Builder
	log := newLog(surroundings{stderr: &out}, "info", "json")
	log.Debug().Msg("too early")
	setLogLevel("debug")
	log.Debug().Msg("in time")
	setLogLevel("error")
	log.Warn().Msg("too late")
	if got := out.String(); !strings.Contains(got, "in time") || strings.Contains(got, "too") {
		t.Errorf("the log is %q", got)
	}
}

func TestTheLogTellsTheTimeToTheMillisecond(t *testing.T) {
	for format, want := range map[string]string{
		"json": `"time":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)"`,
		"text": `^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INF `,
	} {
		var out strings.Builder
		log := newLog(surroundings{stderr: &out}, "info", format)
		for range 100_000 { // those of the first millisecond of a second say .000
			log.Info().Msg("now")
			if !strings.Contains(out.String(), ".000") {
				break
			}
			out.Reset()
		}
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("%s: the log is %s", format, out.String())
		}
	}
}

func TestGarbageIsHeldShortUnlessTheAdminHasDecided(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	for variable, want := range map[string]int{
		"GOGC=off":         100, // as the program was started; only the runtime reads the value
		"GOGC=200":         100,
		"GOGC=":            50,
		"GOMEMLIMIT=64MiB": 50, // says nothing of garbage below that limit
		"":                 50,
	} {
		debug.SetGCPercent(100)
		holdGarbageShort(surroundings{environ: []string{variable}})
		if got := debug.SetGCPercent(100); got != want {
			t.Errorf("with %q garbage may grow to %d %%, want %d", variable, got, want)
		}
	}
}
