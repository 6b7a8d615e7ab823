package news_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/tokens"
)

func TestTheServerIsAskedOnceAnIntervalOrNotAtAll(t *testing.T) {
	for enabled, want := range map[bool]int{true: 60, false: 0} {
		synctest.Test(t, func(t *testing.T) {
			w := newTown(t)
			w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
			w.settings.Enabled, w.lists = enabled, 0
			ctx, end := context.WithCancel(t.Context())
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				w.watcher.Run(ctx)
			}()
			time.Sleep(time.Hour - time.Second)
			end()
			<-ended
			if w.lists != want {
				t.Errorf("enabled: %t: within an hour the server was asked %d times, want %d", enabled, w.lists, want)
			}
		})
	}
}
