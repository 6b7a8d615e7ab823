package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// edit replaces text in a file, which must hold it exactly once.
func edit(path, old, replacement string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("editing %s: %w", filepath.Base(path), err)
	}
	if n := strings.Count(string(content), old); n != 1 {
		return fmt.Errorf("editing %s: it holds %q %d times, not once", filepath.Base(path), old, n)
	}
	edited := strings.Replace(string(content), old, replacement, 1)
	if err := os.WriteFile(path, []byte(edited), 0o600); err != nil {
		return fmt.Errorf("editing %s: %w", filepath.Base(path), err)
	}
	return nil
}

// EditConfig replaces text in homeserver.yaml, which must hold it exactly once.
// The homeserver reads it when it starts.
func (s *Synapse) EditConfig(old, replacement string) error {
	return edit(s.config(), old, replacement)
}
