//go:build e2e

package e2e

import (
	"os"
	"strings"
	"testing"

	"matrix-registration-bot/config"
)

// docs/backup.md, word for word: a copy is made while the bot runs, and another
// machine goes on with it.
func TestBackupAndRestore(t *testing.T) {
	onEachDatabase(t, func(s *scene) {
		client := s.device(s.Admin, phone)
		anna, room := s.sealedDM(client)
		token := anna.create()
		s.says(anna.ask("allow @ben:friends.test"), "@ben:friends.test")
		before := s.shown(client)
		fingerprint, err := s.Bot.Fingerprint(s.Context())
		s.must(err)

		uri, err := s.Bot.DatabaseURI()
		s.must(err)
		machine, err := laboratory.Folder("restored-" + kindOf(uri))
		s.must(err)
		backup := s.TempDir() + "/copy"
		places := func(folder string) []string {
			return []string{
				"/var/backups/matrix-registration-bot", backup, "/etc/matrix-registration-bot", folder, "/var/lib/matrix-registration-bot", folder,
				"postgres://user:password@host/database", uri,
			}
		}
		backingUp := s.guide("backup.md", "## Make a backup", places(s.Bot.Dir())...)
		restoring := s.guide("backup.md", "## Restore", places(machine)...)
		if kindOf(uri) == "postgres" {
			backingUp.follow("pg_dump")
			anna.create() // the copy does not know it
			s.must(s.Bot.Stop())
			s.must(s.Bot.LoseDatabase(s.Context()))
			restoring.follow("pg_restore")
			s.must(os.CopyFS(machine, os.DirFS(backup)))
		} else {
			_, err := laboratory.Program(s.Context(), "sqlite3", "sqlite3")
			s.must(err)
			backingUp.follow("sqlite3")
			anna.create()
			s.must(s.Bot.Stop())
			restoring.follow("registration-bot.db")
		}
		s.Bot, err = laboratory.Moved(s.Bot, machine)
		s.must(err)
		s.startBot()
		restoring.follow("doctor")

		after, err := s.Bot.Fingerprint(s.Context())
		s.must(err)
		if after != fingerprint {
			s.Errorf("the bot has other keys: %s, before: %s", after, fingerprint)
		}
		s.isBack(client, before)
		s.must(room.Rotate(s.Context()))
		s.says(anna.ask("show "+token), token, "made by you")
		s.says(anna.allowed(), "@ben:friends.test")
		anna.ask("disallow @ben:friends.test")
		if said := room.plainText(s.Bot); len(said) > 0 {
			s.Errorf("in plain text in an encrypted room: %q", said)
		}
	})
}

// docs/encryption.md on a lost pickle key, word for word.
func TestStartingAfreshKeepsWhatIsNoKey(t *testing.T) {
	onDatabase(t, "sqlite", func(s *scene) {
		client := s.device(s.Admin, phone)
		anna, _ := s.sealedDM(client)
		token := anna.create()
		before := s.shown(client)
		uri, err := s.Bot.DatabaseURI()
		s.must(err)
		file, _ := config.SQLiteFile(uri, s.Bot.Dir())
		_, err = laboratory.Program(s.Context(), "sqlite3", "sqlite3")
		s.must(err)

		s.must(s.Bot.Stop())
		s.must(s.Bot.EditConfig(`pickle_key: "`, `pickle_key: "new`))
		afresh := s.guide("encryption.md", "### Starting afresh",
			"/var/lib/matrix-registration-bot/registration-bot.db", file)
		afresh.follow("sqlite3")
		s.startBot()

		s.shownAnew(client, before)
		heard := anna.heardUntilAnswerTo(anna.say("show " + token))
		s.says(heard[len(heard)-1], token, "made by you")
	})
}

// kindOf is the kind of a database.
func kindOf(uri string) string {
	if strings.HasPrefix(uri, "sqlite:") {
		return "sqlite"
	}
	return "postgres"
}
