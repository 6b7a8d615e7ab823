package lab

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"
)

// secrets are texts that no log may hold, and what each of them is.
type secrets struct {
	mu    sync.Mutex
	texts map[string]string
}

const (
	// shortestSecret is the shortest text that is looked for: anything may hold a
	// shorter one by chance.
	shortestSecret = 8
	// shortestMessage is the same for what people write: commands are no secrets.
	shortestMessage = 20
)

func (s *secrets) add(what, text string) {
	if len(text) < shortestSecret {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.texts == nil {
		s.texts = make(map[string]string)
	}
	s.texts[text] = what
}

// addFrom adds values of a YAML file by the path of their keys.
func (s *secrets) addFrom(file string, keys ...string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("learning secrets: %w", err)
	}
	for _, key := range keys {
		var document yaml.Node
		if err := yaml.Unmarshal(text, &document); err != nil {
			return fmt.Errorf("learning secrets: %w", err)
		}
		value := document.Content[0]
		for part := range strings.SplitSeq(key, ".") {
			n := slices.IndexFunc(value.Content, func(n *yaml.Node) bool { return n.Value == part })
			if n < 0 || n+1 >= len(value.Content) {
				return fmt.Errorf("learning secrets: %s has no %s", filepath.Base(file), key)
			}
			value = value.Content[n+1]
		}
		s.add(key, value.Value)
	}
	return nil
}

// foundIn returns a line for each secret that a text holds, as it is or
// percent-encoded in any way.
func (s *secrets) foundIn(text []byte) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	versions := [][]byte{text, percentDecoded(text)}
	var found []string
	for _, secret := range slices.Sorted(maps.Keys(s.texts)) {
		for _, version := range versions {
			if at := bytes.Index(version, []byte(secret)); at >= 0 {
				found = append(found, fmt.Sprintf("%s: %s", s.texts[secret], lineAround(version, at)))
				break
			}
		}
	}
	return found
}

func percentDecoded(text []byte) []byte {
	var decoded bytes.Buffer
	for len(text) > 0 {
		if text[0] == '%' && len(text) >= 3 {
			if plain, err := url.PathUnescape(string(text[:3])); err == nil {
				decoded.WriteString(plain)
				text = text[3:]
				continue
			}
		}
		decoded.WriteByte(text[0])
		text = text[1:]
	}
	return decoded.Bytes()
}

func lineAround(text []byte, at int) string {
	begin := bytes.LastIndexByte(text[:at], '\n') + 1
	line, _, _ := bytes.Cut(text[begin:], []byte{'\n'})
	return string(line)
}

// rememberTokens has Synapse's database keep every registration token and every
// access token that it ever had.
func (s *Synapse) rememberTokens(ctx context.Context) error {
	return s.withDatabase(func(db *sql.DB) error {
		statement := `CREATE TABLE IF NOT EXISTS lab_secrets (what TEXT, text TEXT PRIMARY KEY) WITHOUT ROWID;`
		for _, table := range []string{"registration_tokens", "access_tokens"} {
			statement += `INSERT OR IGNORE INTO lab_secrets SELECT '` + table + `', token FROM ` + table + `;
				CREATE TRIGGER IF NOT EXISTS lab_` + table + ` AFTER INSERT ON ` + table + ` BEGIN
					INSERT OR IGNORE INTO lab_secrets VALUES ('` + table + `', NEW.token); END;`
		}
		_, err := db.ExecContext(ctx, statement)
		return err
	})
}

// tellTokens adds what rememberTokens has gathered.
func (s *Synapse) tellTokens(ctx context.Context) error {
	return s.withDatabase(func(db *sql.DB) error {
		rows, err := db.QueryContext(ctx, `SELECT what, text FROM lab_secrets`)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var what, text string
			if err := rows.Scan(&what, &text); err != nil {
				return err
			}
			s.secrets.add(what, text)
		}
		return rows.Err()
	})
}

func (s *Synapse) withDatabase(do func(*sql.DB) error) error {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.dir, "homeserver.db")+"?_pragma=busy_timeout(10000)")
	if err == nil {
		err = do(db)
		_ = db.Close()
	}
	if err != nil {
		return fmt.Errorf("watching Synapse's tokens: %w", err)
	}
	return nil
}

// LearnSecrets reads those of the bot whose config and registration are in a folder.
func (l *Lab) LearnSecrets(dir string) error {
	return errors.Join(
		l.secrets.addFrom(filepath.Join(dir, "registration.yaml"), "as_token", "hs_token"),
		l.secrets.addFrom(filepath.Join(dir, "config.yaml"), "encryption.pickle_key"),
	)
}

// SearchLogs searches all that bots have printed, at debug level, for every secret
// that was ever there: those of the configs, passwords, access tokens and
// registration tokens, and what people wrote. The error names the lines that hold one.
func (l *Lab) SearchLogs(ctx context.Context) error {
	for _, homeserver := range l.homeservers {
		if err := homeserver.tellTokens(ctx); err != nil {
			return err
		}
	}
	files := slices.Clone(l.logs)
	for _, bot := range l.bots {
		files = append(files, bot.logFile())
	}
	var leaks []error
	for _, file := range files {
		log, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue // it never ran
		} else if err != nil {
			return fmt.Errorf("searching the logs: %w", err)
		}
		for _, leak := range l.secrets.foundIn(log) {
			leaks = append(leaks, fmt.Errorf("the logs hold a secret: %s", leak))
		}
	}
	return errors.Join(leaks...)
}
