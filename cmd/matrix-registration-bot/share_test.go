//go:build goolm

package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// share is where deploy/release.sh wants them. What makes them is no part of
// the program, which would be much bigger with it.
var share = flag.String("share", "", "a `folder` to write the man pages and the completions for shells to")

func TestManPagesAndCompletionsAreMadeOfTheCommandLine(t *testing.T) {
	folder := *share
	if folder == "" {
		folder = t.TempDir()
	}
	man := filepath.Join(folder, "man")
	if err := os.MkdirAll(man, 0o755); err != nil {
		t.Fatal(err)
	}
	line := commandLine(&surroundings{})
	line.DisableAutoGenTag = true
	commands := append(line.Commands(), line)
	header := doc.GenManHeader{Title: "MATRIX-REGISTRATION-BOT", Section: "1", Source: "matrix-registration-bot", Manual: "User Commands"}
	if err := doc.GenManTree(line, &header, man); err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(string) error{
		"matrix-registration-bot.bash": func(path string) error { return line.GenBashCompletionFileV2(path, true) },
		"_matrix-registration-bot":     line.GenZshCompletionFile,
		"matrix-registration-bot.fish": func(path string) error { return line.GenFishCompletionFile(path, true) },
	} {
		if err := write(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range commands {
		page, err := os.ReadFile(filepath.Join(man, manPage(command)))
		if err != nil {
			t.Errorf("%s has no man page: %v", command.Name(), err)
		} else if !strings.Contains(string(page), "SYNOPSIS") {
			t.Errorf("the man page of %s has no synopsis", command.Name())
		}
	}
}

func manPage(command *cobra.Command) string {
	return strings.ReplaceAll(command.CommandPath(), " ", "-") + ".1"
}
