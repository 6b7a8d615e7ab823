//go:build goolm

package main

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"go.uber.org/goleak"

	"matrix-registration-bot/e2e/standin"
)

func TestNothingRunsOnWhenTheBotHasStopped(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Chdir(t.TempDir())
	const bot, person = "@registration-bot:example.com", "@mia:example.com"
	homeserver := standin.Open(bot, person)
	around := surroundings{
		configPath: "config.yaml", stdout: io.Discard, stderr: io.Discard,
		environ: []string{
			"API_TOKEN=" + standin.AdminToken,
			"APPSERVICE_LISTEN=127.0.0.1:0", "METRICS_LISTEN=localhost:0",
		},
	}
	init := []string{"init", "--domain", "example.com", "--homeserver", homeserver.URL, "--admin", person}
	if code := execute(init, surroundings{stdout: io.Discard, stderr: io.Discard}); code != exitFine {
		t.Fatalf("init ended with %d", code)
	}
	a, err := newApp(around)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx) }()
	for deadline := time.Now().Add(time.Minute); a.bot.Status().WayBack != "ok"; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the bot does not get to work: %+v", a.bot.Status())
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the bot ended with %v", err)
	}
	a.close()
	homeserver.Close() // and with it the connections that the bot kept for later
	goleak.VerifyNone(t, before)
}
