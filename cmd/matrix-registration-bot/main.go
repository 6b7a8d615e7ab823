//go:build goolm

// The matrix-registration-bot program: one file for each subcommand.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

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
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
	}))
}

// surroundings is what a subcommand finds around it.
type surroundings struct {
	configPath     string   // as given with -c; empty: see config.Load
	environ        []string // "NAME=value"
	stdin          io.Reader
	stdout, stderr io.Writer
}

// variable is the value of an environment variable; empty if it is not set.
func (s surroundings) variable(name string) string {
	for _, entry := range s.environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// commandLine is what can be typed: one line for each subcommand.
func commandLine(around *surroundings) *cobra.Command {
	line := &cobra.Command{
		Use:   "matrix-registration-bot",
		Short: "Hands out registration tokens of a Matrix homeserver, asked for in a chat",

		SilenceErrors: true, SilenceUsage: true, DisableSuggestions: true, // execute says what is wrong
	}
	line.PersistentFlags().StringVarP(&around.configPath, "config", "c", "", "the config `FILE` (default: $CONFIG_PATH, or else config.yaml)")
	line.AddCommand(
		runCommand(around),
		initCommand(around),
		importCommand(around),
		doctorCommand(around),
		fingerprintCommand(around),
		grantAdminCommand(around),
		healthcheckCommand(around),
		versionCommand(around),
	)
	return line
}

// subcommand takes no arguments, only flags, and ends as do ends.
func subcommand(name, short string, do func() error) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := do(); err != nil {
				return failure{err}
			}
			return nil
		},
	}
}

// failure is an error of a subcommand. All others are cobra's: the command line
// is wrong.
type failure struct{ error }

// usageError is a wrong use of the command line that cobra can't see.
type usageError struct{ error }

// execute does what args say and returns the exit code.
func execute(args []string, around surroundings) int {
	line := commandLine(&around)
	line.SetArgs(append([]string{}, args...)) // cobra takes nil for os.Args
	line.SetOut(around.stdout)
	line.SetErr(around.stderr)
	err := line.Execute()

	var failed failure
	if errors.As(err, &failed) {
		err = failed.error
	} else if err != nil {
		err = usageError{fmt.Errorf("%w (see --help)", err)}
	}

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
