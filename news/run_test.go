package news_test

import (
	"context"
	"strings"
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

func TestAPanicEndsTheRoundAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTown(t)
		w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
		w.broken, w.lists = "ouch", 0
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			w.watcher.Run(ctx)
		}()
		time.Sleep(3*w.settings.Interval - time.Second)
		end()
		<-ended
		if w.lists != 3 {
			t.Errorf("in three intervals the server was asked %d times", w.lists)
		}
		if log := w.log.String(); !strings.Contains(log, "panicked: ouch") || !strings.Contains(log, "news.(*Watcher).look(") {
			t.Errorf("the log says %s", log)
		}
	})
}
