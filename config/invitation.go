package config

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"text/template"
)

// Invitation is what the templates of create.message can use.
type Invitation struct {
	Server  string // server name: example.com
	Address string // URL of the homeserver as people type it into a client
	Code    string // the registration token
	Expires string // until when in plain words; empty = for ever
	Uses    int    // how many accounts can be made; 0 = any number
}

// templateError takes the messages of text/template apart, which has no type
// for them.
var templateError = regexp.MustCompile(`(?s)^template: message:(\d+)(?::\d+)?: (?:executing "message" )?(.*)$`)

// checkInvitation tries a template out. If it is bad, it returns the line of
// the text (from 1) that is to blame.
func checkInvitation(text string) (line int, err error) {
	message, err := template.New("message").Parse(text)
	if err == nil {
		err = message.Execute(io.Discard, Invitation{
			Server: "example.com", Address: "https://matrix.example.com", Code: "AbCdEfGhIjKlMnOp",
			Expires: "Friday, 24 December 2027, 18:00 (in 7 days)", Uses: 1,
		})
	}
	if err == nil {
		return 0, nil
	}
	text = err.Error()
	if m := templateError.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // digits only
		text = m[2]
	}
	return max(line, 1), errors.New("bad template: " + text)
}
