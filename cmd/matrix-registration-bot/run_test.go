//go:build goolm

package main

import (
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
