//go:build goolm

package main

import "github.com/rs/zerolog"

// newLog makes the log that goes to standard error. Its level is zerolog's
// global one, because that can be changed while the bot runs; how times are
// written is global as well.
func newLog(around surroundings, level, format string) zerolog.Logger {
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	var out zerolog.LevelWriter = zerolog.MultiLevelWriter(around.stderr)
	if format == "text" {
		out = zerolog.MultiLevelWriter(zerolog.ConsoleWriter{Out: around.stderr, NoColor: true, TimeFormat: "2006-01-02 15:04:05.000"})
	}
	setLogLevel(level)
	return zerolog.New(out).With().Timestamp().Logger()
}

func setLogLevel(level string) {
	parsed, err := zerolog.ParseLevel(level)
	if err != nil {
		parsed = zerolog.InfoLevel // the config has checked it
	}
	zerolog.SetGlobalLevel(parsed)
}

// part is the log of a part of the program.
func part(log zerolog.Logger, name string) zerolog.Logger {
	return log.With().Str("part", name).Logger()
}
