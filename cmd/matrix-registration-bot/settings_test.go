//go:build goolm

package main

import (
	"reflect"
	"testing"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/config"
)

// The config tries templates out with one type and the commands execute them
// with another, as neither package may know the other.
func TestTemplatesAreTriedOutWithWhatTheyGet(t *testing.T) {
	fields := func(of reflect.Type) (list []string) {
		for i := range of.NumField() {
			list = append(list, of.Field(i).Name+" "+of.Field(i).Type.String())
		}
		return list
	}
	tried, executed := fields(reflect.TypeFor[config.Invitation]()), fields(reflect.TypeFor[commands.Invitation]())
	if !reflect.DeepEqual(tried, executed) {
		t.Errorf("config.Invitation has %q, commands.Invitation %q", tried, executed)
	}
}
