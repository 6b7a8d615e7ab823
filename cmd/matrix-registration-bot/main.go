//go:build goolm

// The matrix-registration-bot program: one file for each subcommand.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"matrix-registration-bot/config"
)

// Exit codes.
const (
	exitFine   = 0
	exitFailed = 1
	exitWrong  = 2 // wrong usage or wrong config
)

func main() {
	os.Exit(execute(os.Args[1:], surroundings{
		environ: os.Environ(),
		stdout:  os.Stdout,
		stderr:  os.Stderr,
	}))
}

// commandLine is what can be typed: one line for each subcommand.
type commandLine struct {
	Config string `short:"c" placeholder:"FILE" help:"The config file (default: $$CONFIG_PATH, or else config.yaml)."`

	Run         runCmd         `cmd:"" help:"Run the bot."`
	Init        initCmd        `cmd:"" help:"Write config.yaml and registration.yaml, and say what to do with them."`
	Fingerprint fingerprintCmd `cmd:"" help:"Print the keys by which people recognise the bot in encrypted chats."`
	Healthcheck healthcheckCmd `cmd:"" help:"Ask the running bot whether it lives: exit code 0 or 1."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
	Help        helpCmd        `cmd:"" hidden:"" default:"1"`
}

// surroundings is what a subcommand finds around it.
type surroundings struct {
	configPath     string   // as given with -c; empty: see config.Load
	environ        []string // "NAME=value"
	stdout, stderr io.Writer
}

// usageError is a wrong use of the command line that kong can't see.
type usageError struct{ error }

// execute does what args say and returns the exit code.
func execute(args []string, around surroundings) int {
	var line commandLine
	helped := false
	parser, err := kong.New(&line,
		kong.Name("matrix-registration-bot"),
		kong.Description("Hands out registration tokens of a Matrix homeserver, asked for in a chat."),
		kong.Writers(around.stdout, around.stderr),
		kong.Exit(func(int) { helped = true }), // kong ends the program only after --help
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		panic(err) // the struct above is wrong
	}

	ctx, err := parser.Parse(args)
	switch {
	case helped:
		return exitFine
	case err != nil:
		fmt.Fprintf(around.stderr, "matrix-registration-bot: %v (see --help)\n", err)
		return exitWrong
	}

	around.configPath = line.Config
	err = ctx.Run(around)

	var wrongConfig *config.Error
	var wrongUsage usageError
	switch {
	case err == nil:
		return exitFine
	case errors.As(err, &wrongConfig):
		fmt.Fprintln(around.stderr, wrongConfig) // each line begins with its file and line
		return exitWrong
	case errors.As(err, &wrongUsage):
		fmt.Fprintf(around.stderr, "matrix-registration-bot: %v\n", err)
		return exitWrong
	default:
		fmt.Fprintf(around.stderr, "matrix-registration-bot: %v\n", err)
		return exitFailed
	}
}
