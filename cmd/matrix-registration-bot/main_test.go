//go:build goolm

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
	"testing"
)

func TestWithoutASubcommandTheHelpIsPrinted(t *testing.T) {
	for _, args := range [][]string{nil, {"-c", "config.yaml"}, {"--help"}, {"help"}} {
		code, stdout, stderr := execution(args...)
		if code != exitFine || stderr != "" || !strings.Contains(stdout, "\nUsage:\n  matrix-registration-bot [command]\n") {
			t.Errorf("%q ended with %d:\n%s%s", args, code, stdout, stderr)
		}
		for _, command := range []string{"run", "init", "healthcheck", "version"} {
			if !strings.Contains(stdout, "\n  "+command+" ") {
				t.Errorf("%q does not name %s:\n%s", args, command, stdout)
			}
		}
	}
}

func TestAWrongCommandLineIsToldAndEndsWithTwo(t *testing.T) {
	for line, want := range map[string]string{
		"completion bash extra": `unknown command "extra" for "matrix-registration-bot completion bash" (see --help)`,
		"start":                 `unknown command "start" for "matrix-registration-bot" (see --help)`,
		"version extra":         `unknown command "extra" for "matrix-registration-bot version" (see --help)`,
		"--config":              "flag needs an argument: --config (see --help)",
		"version --all":         "unknown flag: --all (see --help)",
	} {
		code, stdout, stderr := execution(strings.Fields(line)...)
		if code != exitWrong || stdout != "" || stderr != "matrix-registration-bot: "+want+"\n" {
			t.Errorf("%s ended with %d: %s%s; want %d: %s", line, code, stdout, stderr, exitWrong, want)
		}
	}
}

func TestVersionSaysWhatWasBuilt(t *testing.T) {
	code, stdout, _ := execution("version")
	if want := regexp.MustCompile(`^matrix-registration-bot development \(commit \S.*, go1\.\d+.*\)\n$`); code != exitFine || !want.MatchString(stdout) {
		t.Errorf("ended with %d: %s; want %s", code, stdout, want)
	}

	for want, settings := range map[string][]debug.BuildSetting{
		"unknown":             nil,
		"abc123":              {{Key: "vcs.revision", Value: "abc123"}, {Key: "vcs.modified", Value: "false"}},
		"abc123 with changes": {{Key: "vcs.revision", Value: "abc123"}, {Key: "vcs.modified", Value: "true"}},
	} {
		if got := commit(&debug.BuildInfo{Settings: settings}); got != want {
			t.Errorf("the commit is %q, want %q", got, want)
		}
	}
}

func TestHealthcheckAsksTheBotOfTheConfig(t *testing.T) {
	answer := http.StatusOK
	bot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/health" {
			t.Errorf("the bot was asked %s %s", r.Method, r.URL)
		}
		w.WriteHeader(answer)
	}))
	defer bot.Close()
	address := strings.TrimPrefix(bot.URL, "http://")
	port := address[strings.LastIndex(address, ":"):]
	folder := t.TempDir()
	mustInit(t, folder, "--listen", address)
	path := filepath.Join(folder, "config.yaml")

	expect := func(want int, listen string) {
		t.Helper()
		var stderr strings.Builder
		around := surroundings{environ: []string{"CONFIG_PATH=" + path, "APPSERVICE_LISTEN=" + listen}, stdout: &stderr, stderr: &stderr}
		if got := execute([]string{"healthcheck"}, around); got != want || (got == exitFine) != (stderr.Len() == 0) {
			t.Errorf("listening on %q: ended with %d: %s; want %d", listen, got, &stderr, want)
		}
	}
	expect(exitFine, "")
	expect(exitFine, port)
	expect(exitFine, "0.0.0.0"+port)

	answer = http.StatusServiceUnavailable
	expect(exitFailed, "")
	bot.Close()
	expect(exitFailed, "")

	// A container runtime knows no other codes.
	if err := os.WriteFile(path, []byte("nonsense: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(exitFailed, "")
}
