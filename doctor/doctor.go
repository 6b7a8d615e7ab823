// Package doctor finds out what is wrong with an installation, and says what
// to do about it. It changes nothing.
package doctor

import (
	"context"
	"net/http"
	"time"

	"matrix-registration-bot/config"
	"matrix-registration-bot/tokens"
)

// State is how a check came out.
type State string

// The states.
const (
	OK      State = "ok"
	Warning State = "warning" // works, but something will surprise
	Problem State = "problem" // does not work
)

// Finding is the outcome of one check.
type Finding struct {
	Check string `json:"check"`        // what was looked at
	State State  `json:"state"`        // how it is
	Text  string `json:"text"`         // what was found, a sentence
	Do    string `json:"do,omitempty"` // what to do: a sentence, a command or config lines to paste
}

// Patient is the installation to look at.
type Patient struct {
	Config       *config.Config
	ConfigFile   string // its path; empty: the config came from the environment alone
	Registration *config.Registration
	Tokens       tokens.Server
	HTTP         *http.Client
	Database     Database
	Now          func() time.Time
}

// Database tells of the bot's database. Its methods change nothing.
type Database interface {
	// Look returns how the schema is: whether the database exists, and whether
	// this program's version can work with it.
	Look(ctx context.Context) (exists bool, err error)
	// Held tells whether a bot works with it now.
	Held(ctx context.Context) (bool, error)
	// Device returns the id of the bot's device; empty if it has none yet.
	Device(ctx context.Context) (string, error)
}

// checkTime is how long one check may take.
const checkTime = 15 * time.Second

// check is one thing to look at. It may find nothing to say.
type check struct {
	name string
	look func(ctx context.Context, p *Patient) Finding
}

// checks are in the order in which trouble is best mended: each relies on the
// ones before.
func checks() []check {
	return []check{
		{"config files", files},
		{"registration", registration},
		{"homeserver", homeserver},
		{"server name", serverName},
		{"well-known", wellKnown},
		{"bot user", botUser},
		{"way back", wayBack},
		{"token API", tokenAPI},
		{"sign-up", signUp},
		{"database", database},
		{"encryption", encryption},
		{"clock", clock},
	}
}

// Examine makes all checks and returns their findings in order.
func Examine(ctx context.Context, p *Patient) []Finding {
	var findings []Finding
	for _, c := range checks() {
		ctx, cancel := context.WithTimeout(ctx, checkTime)
		finding := c.look(ctx, p)
		cancel()
		finding.Check = c.name
		findings = append(findings, finding)
	}
	return findings
}

// Sound tells whether none of the findings is a problem.
func Sound(findings []Finding) bool {
	for _, f := range findings {
		if f.State == Problem {
			return false
		}
	}
	return true
}

func ok(text string) Finding          { return Finding{State: OK, Text: text} }
func warning(text, do string) Finding { return Finding{State: Warning, Text: text, Do: do} }
func problem(text, do string) Finding { return Finding{State: Problem, Text: text, Do: do} }
