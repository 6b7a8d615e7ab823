// Package access decides who may do what: from the permissions in the config
// and the list that admins keep from the chat it computes a person's role.
package access

import (
	"time"

	"maunium.net/go/mautrix/id"
)

// Entry is one line of the stored list (`allow` and `disallow`).
type Entry struct {
	Pattern string    // as it was written: user id, glob, server name, "*" or /regexp/
	Role    Role      // None = a refusal
	AddedBy id.UserID // who wrote it
	AddedAt time.Time
}

// Permissions are the config's: user id, server name or "*" to role.
type Permissions map[string]Role

// Reason is an entry that plays a part in a decision.
type Reason struct {
	Pattern    string
	Role       Role
	FromConfig bool
	Decisive   bool // this one gave the role
}

// Broken is an entry that can't be read (any more). It matches nobody.
type Broken struct {
	Pattern    string
	FromConfig bool
	Err        error // why, see Parse
}

// Decision is a person's role and why it is so.
type Decision struct {
	Role    Role
	Reasons []Reason // every entry that matches, the decisive one first
	Broken  []Broken // every entry that can't be read, to be logged
}
