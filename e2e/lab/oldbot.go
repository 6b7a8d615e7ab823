package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"maunium.net/go/mautrix/id"
)

// OldBot is what the Python bot left in a folder, from which ours takes over.
type OldBot struct {
	Name  string            // of the folder in the lab
	User  id.UserID         // its account
	Files map[string]string // by name: config.yml and config.toml
}

// Import runs `import` with these arguments in the old bot's folder, and returns
// the bot that takes over and what was said.
func (l *Lab) Import(ctx context.Context, old OldBot, arguments ...string) (b *Bot, said string, err error) {
	dir, err := l.Folder(old.Name)
	if err != nil {
		return nil, "", err
	}
	for name, content := range old.Files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return nil, "", fmt.Errorf("writing the old bot's files: %w", err)
		}
	}
	port, err := l.FreePort()
	if err != nil {
		return nil, "", err
	}
	if b, err = l.emptyBot(ctx, dir, port); err != nil {
		return nil, "", err
	}
	b.UserID = old.User
	if said, err = b.Command(ctx, append([]string{"import", "--url", b.URL}, arguments...)...); err != nil {
		return nil, said, fmt.Errorf("matrix-registration-bot import: %w\n%s", err, said)
	}
	return b, said, l.adopt(b)
}

// Replace puts another registration in the place of the one that the homeserver
// reads when it starts; an empty one is none.
func (s *Synapse) Replace(registration, by string) error {
	list := func(registration string) string {
		if registration == "" {
			return "app_service_config_files: []"
		}
		return fmt.Sprintf("app_service_config_files: [%q]", registration)
	}
	return s.EditConfig(list(registration), list(by))
}

// OperatorToken is the access token of a server admin.
func (s *Synapse) OperatorToken() string { return s.admin.Client.AccessToken }

// LoggedIn returns nil if the homeserver takes the person's access token.
func (p *Person) LoggedIn(ctx context.Context) error {
	_, err := p.client.Whoami(ctx)
	return err
}
