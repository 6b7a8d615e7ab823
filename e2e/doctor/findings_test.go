//go:build e2e

package doctor

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"matrix-registration-bot/doctor"
)

// findsAllWell reads what doctor says of a healthy installation as programs do.
func (h *hospital) findsAllWell() {
	var names []string
	for _, f := range h.findings() {
		names = append(names, f.Check)
		if f.State != doctor.OK || f.Text == "" || f.Do != "" {
			h.Errorf("found %+v", f)
		}
	}
	printed, err := h.Bot.Command(h.Context(), "-c", "config.yaml", "doctor")
	h.must(err)
	if lines := strings.Count(printed, "\n"); len(names) == 0 || len(names) != lines {
		h.Errorf("%d findings as JSON: %q\nand %d lines:\n%s", len(names), names, lines, printed)
	}
}

// findings are those of `doctor --json`, which must end well.
func (h *hospital) findings() (findings []doctor.Finding) {
	h.Helper()
	out, err := h.Bot.Command(h.Context(), "-c", "config.yaml", "doctor", "--json")
	h.must(err)
	if err := json.Unmarshal([]byte(out), &findings); err != nil {
		h.Fatalf("%v in\n%s", err, out)
	}
	return findings
}

// logged is a line of the bot's log about a check: its level, and which it is.
var logged = regexp.MustCompile(`(?m)^\S+ \S+ ([A-Z]{3}) .*\bcheck=("[^"]+"|\S+)`)

// checksItselfAtStart has the running bot of a healthy installation start anew,
// and reads in its log that it makes the same checks as doctor.
func (h *hospital) checksItselfAtStart() {
	var checks []string
	for _, f := range h.findings() {
		checks = append(checks, "INF "+f.Check)
	}
	h.must(h.Bot.Stop())
	before := len(h.log())
	h.must(h.Bot.Start(h.Context()))
	ctx, cancel := context.WithTimeout(h.Context(), time.Minute)
	defer cancel()
	var made []string
	for len(made) < len(checks) {
		select {
		case <-ctx.Done():
			h.Fatalf("the bot logged %q, want %q", made, checks)
		case <-time.After(50 * time.Millisecond):
		}
		made = nil
		for _, line := range logged.FindAllStringSubmatch(h.log()[before:], -1) {
			made = append(made, line[1]+" "+strings.Trim(line[2], `"`))
		}
	}
	if !slices.Equal(made, checks) {
		h.Errorf("the bot logged %q, want %q", made, checks)
	}
}

// log is all that the bot has logged.
func (h *hospital) log() string {
	h.Helper()
	content, err := os.ReadFile(filepath.Join(h.Bot.Dir(), "bot.log"))
	h.must(err)
	return string(content)
}
