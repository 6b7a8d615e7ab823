//go:build e2e

package e2e

import (
	"testing"

	"maunium.net/go/mautrix/event"
)

// The clients of the other tests, among themselves: what fails here is not the
// bot's fault.
func TestJavaScriptClients(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		anna := s.device(s.person("anna"), strict)
		ben := s.device(s.person("ben"), strict)

		annas, err := anna.InviteToDM(s.Context(), ben.UserID)
		s.must(err)
		bens, err := ben.Join(s.Context(), annas)
		s.must(err)
		_, err = annas.Until(s.Context(), ben.UserID, event.MembershipJoin)
		s.must(err)

		said, err := bens.Say(s.Context(), "Hello Anna")
		s.must(err)
		heard, err := annas.Hear(s.Context())
		s.must(err)
		if heard.ID != said || heard.Body != "Hello Anna" || !heard.Encrypted {
			s.Fatalf("Anna heard %+v, want %s, encrypted", heard, said)
		}
		shown, err := anna.Identity(s.Context(), ben.UserID)
		s.must(err)
		if len(shown.Devices) != 1 || shown.Devices[0].Fingerprint != ben.Fingerprint || !shown.Devices[0].SignedByOwner {
			s.Fatalf("Anna's client shows Ben as %+v, want one signed device with the key %s", shown, ben.Fingerprint)
		}
		s.must(bens.React(s.Context(), said, "confirm"))
		_, err = annas.Marks(s.Context(), said, 1)
		s.must(err)
	})
}
