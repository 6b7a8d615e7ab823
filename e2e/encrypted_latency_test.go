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
			inPlain, inSealed := medianAnswer(plain), medianAnswer(sealedChat)
			t.Logf("%s: median of 50 answers: plain %s, encrypted %s (%.2f times)",
				database, inPlain, inSealed, inSealed.Seconds()/inPlain.Seconds())
		})
	}
}

func medianAnswer(c *chat) time.Duration {
	var times []time.Duration
	for range 50 {
		asked := time.Now()
		c.ask("whoami")
		times = append(times, time.Since(asked).Round(time.Millisecond))
	}
	slices.Sort(times)
	return times[len(times)/2]
}
