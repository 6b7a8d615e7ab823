package config

import "os"

// OpenToAll returns those of the files with secrets (the config, the registration
// and an SQLite database) that everybody on the machine may read or write.
func (c *Config) OpenToAll() []string {
	paths := []string{c.Appservice.Registration, c.File()}
	if path, isFile := SQLiteFile(c.Database.URI, ""); isFile {
		paths = append(paths, path)
	}
	var open []string
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o007 != 0 {
			open = append(open, path)
		}
	}
	return open
}
