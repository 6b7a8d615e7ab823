//go:build goolm

package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker: -ldflags "-X main.version=1.2.3".
var version = "development"

func versionCommand(around *surroundings) *cobra.Command {
	return subcommand("version", "Print the version", func() error { return printVersion(*around) })
}

// printVersion prints one line: version, commit and Go version.
func printVersion(around surroundings) error {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = &debug.BuildInfo{}
	}
	_, err := fmt.Fprintf(around.stdout, "matrix-registration-bot %s (commit %s, %s)\n", version, commit(build), build.GoVersion)
	return err
}

// commit is the revision that the program was built from.
func commit(build *debug.BuildInfo) string {
	revision, changed := "unknown", ""
	for _, s := range build.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				changed = " with changes"
			}
		}
	}
	return revision + changed
}
