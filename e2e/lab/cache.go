package lab

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// installOnce returns a folder of the repository's .cache that install has
// filled, now or earlier. Of two labs at the same time one installs and the other
// waits.
func (l *Lab) installOnce(ctx context.Context, name, folder string, install func(dir string) error) (dir string, err error) {
	dir = filepath.Join(l.root, ".cache", folder)
	finished := filepath.Join(dir, "finished")
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", fmt.Errorf("installing %s: %w", name, err)
	}
	lock := flock.New(dir + ".lock")
	if _, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil {
		return "", fmt.Errorf("waiting for another lab to install %s: %w", name, err)
	}
	defer func() { _ = lock.Unlock() }()
	if _, err := os.Stat(finished); err == nil {
		return dir, nil
	}
	err = os.RemoveAll(dir)
	if err == nil {
		err = install(dir)
	}
	if err == nil {
		err = os.WriteFile(finished, nil, 0o644)
	}
	if err != nil {
		return "", fmt.Errorf("installing %s: %w", name, err)
	}
	return dir, nil
}
