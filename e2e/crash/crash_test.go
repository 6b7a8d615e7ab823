//go:build e2e

package crash

import (
	"testing"
)

func TestCrashInPlainRoom(t *testing.T) {
	for database, s := range stages {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			dm, err := s.Admin.DM(t.Context(), s.bot.UserID)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := dm.Hear(t.Context()); err != nil { // its greeting
				t.Fatal(err)
			}
			for i, c := range commands() {
				t.Run(c.name, func(t *testing.T) {
					w := &walk{T: t, stage: s, room: dm, command: c}
					w.through(*everywhere || database == "sqlite", i)
				})
			}
		})
	}
}
