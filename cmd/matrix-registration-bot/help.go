//go:build goolm

package main

import "github.com/alecthomas/kong"

// helpCmd is what happens without a subcommand.
type helpCmd struct{}

// Run prints what --help prints.
func (helpCmd) Run(ctx *kong.Context) error {
	_, _ = ctx.Kong.Parse([]string{"--help"}) // it also complains that nothing is left to do
	return nil
}
