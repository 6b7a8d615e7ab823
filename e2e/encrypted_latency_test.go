//go:build e2e

package e2e

import (
	"slices"
	"testing"
	"time"
)

// Told, not judged: the machine that runs this may be busy with other things.
func TestReplyLatency(t *testing.T) {
	for database, site := range sites {
		t.Run(database, func(t *testing.T) {
			s := &scene{T: t, Site: site, name: sceneName(t) + "." + database}
			client := s.device(s.personWith("manager", "anna"), phone)
			sealedChat, _ := s.sealedDM(client)
			plain := s.plainDM(client)
			var inPlain, inSealed []time.Duration
			for range 50 { // in turns, so that both meet the same machine
				inPlain = append(inPlain, timeToAnswer(plain))
				inSealed = append(inSealed, timeToAnswer(sealedChat))
			}
			t.Logf("%s: median of 50 answers: plain %s, encrypted %s (%.2f times)",
				database, median(inPlain), median(inSealed), median(inSealed).Seconds()/median(inPlain).Seconds())
		})
	}
}

func timeToAnswer(c *chat) time.Duration {
	asked := time.Now()
	c.ask("whoami")
	return time.Since(asked).Round(time.Millisecond)
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}
