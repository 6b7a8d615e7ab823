package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"matrix-registration-bot/e2e/lab"
)

// A bot lives between nothing and this long before it is killed: often it has
// not even met the homeserver, sometimes it has nothing left to do.
const longestLife = 3 * time.Second

// storm kills the bot.
type storm struct {
	site   *lab.Site
	random *rand.Rand
	kills  int
	done   int // kills so far
	hits   int // of these with work open
}

// rage kills the bot as often as it is to, while everybody talks, and leaves it
// running.
func (s *storm) rage(ctx context.Context, voices []*voice) error {
	talking, enough := context.WithCancel(ctx)
	defer enough()
	failed := make(chan error, len(voices))
	var talk sync.WaitGroup
	for _, v := range voices {
		talk.Go(func() {
			if err := v.talk(talking); err != nil {
				failed <- fmt.Errorf("%s: %w", v.name, err)
				enough()
			}
		})
	}
	err := s.killAll(talking)
	enough()
	talk.Wait()
	close(failed)
	for f := range failed {
		err = errors.Join(err, f)
	}
	if err == nil {
		err = s.site.Bot.Ready(ctx)
	}
	return err
}

func (s *storm) killAll(ctx context.Context) error {
	bot := s.site.Bot
	for s.done < s.kills {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(s.random.Int64N(int64(longestLife)))):
		}
		if !bot.Running() {
			return errors.New("the bot has ended by itself")
		}
		bot.Kill()
		s.done++
		events, messages, err := bot.OpenWork(ctx)
		if err != nil {
			return err
		}
		if events+messages > 0 {
			s.hits++
		}
		if s.done%25 == 0 {
			fmt.Printf("%d kills, %d of them with work open\n", s.done, s.hits)
		}
		if err := bot.Launch(); err != nil {
			return err
		}
	}
	return nil
}

func (s *storm) summary(voices []*voice) string {
	commands := 0
	for _, v := range voices {
		commands += len(v.given)
	}
	return fmt.Sprintf("storm: %d kills, %d of them (%d %%) with work open; %d commands",
		s.done, s.hits, 100*s.hits/max(s.done, 1), commands)
}
