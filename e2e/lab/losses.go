package lab

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/config"
)

// DeleteDevice removes a device of anybody, as server admins can.
func (s *Synapse) DeleteDevice(ctx context.Context, user id.UserID, device id.DeviceID) error {
	url := s.admin.BuildAdminURL("v2", "users", user, "devices", device)
	if _, err := s.admin.Client.MakeRequest(ctx, http.MethodDelete, url, nil, nil); err != nil {
		return fmt.Errorf("deleting a device of %s: %w", user, err)
	}
	return nil
}

// Logged returns how often the homeserver's log holds a text.
func (s *Synapse) Logged(text string) int {
	log, _ := os.ReadFile(s.process.log) // none yet: it has logged nothing
	return bytes.Count(log, []byte(text))
}

// SayInPlainText sends a text unencrypted into a room of this person, whatever the
// room is.
func (p *Person) SayInPlainText(ctx context.Context, room id.RoomID, text string) (id.EventID, error) {
	sent, err := p.client.SendMessageEvent(ctx, room, event.EventMessage,
		&event.MessageEventContent{MsgType: event.MsgText, Body: text})
	if err != nil {
		return "", fmt.Errorf("sending in plain text: %w", err)
	}
	return sent.EventID, nil
}

// Backup is a copy of an SQLite database that nobody had open.
type Backup struct {
	database string
	files    map[string][]byte // by suffix
}

// BackUp copies the SQLite database of a stopped bot.
func (b *Bot) BackUp() (*Backup, error) {
	uri, err := b.DatabaseURI()
	if err != nil {
		return nil, err
	}
	file, _ := config.SQLiteFile(uri, b.dir)
	return backUp(file)
}

// BackUp copies the database of a stopped homeserver.
func (s *Synapse) BackUp() (*Backup, error) {
	return backUp(filepath.Join(s.dir, "homeserver.db"))
}

func backUp(database string) (*Backup, error) {
	b := &Backup{database: database, files: make(map[string][]byte)}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		content, err := os.ReadFile(database + suffix)
		if os.IsNotExist(err) && suffix != "" {
			continue
		} else if err != nil {
			return nil, fmt.Errorf("backing up a database: %w", err)
		}
		b.files[suffix] = content
	}
	return b, nil
}

// Restore puts the copy in the place of the database, which nobody may have open.
func (b *Backup) Restore() error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		err := os.Remove(b.database + suffix)
		if content, ok := b.files[suffix]; ok {
			err = os.WriteFile(b.database+suffix, content, 0o600)
		}
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("restoring a database: %w", err)
		}
	}
	return nil
}
