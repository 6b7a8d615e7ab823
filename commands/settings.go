package commands

import (
	"context"
	"time"

	"matrix-registration-bot/access"
)

// Settings are what commands go by. They are read anew for each command, so
// that a reload of the config holds from the next command on.
type Settings struct {
	Language    string         // "en"
	Zone        *time.Location // for dates, read and written; nil = UTC
	Prefix      string         // "!reg"; empty: in group rooms only a mention works
	DisplayName string         // the bot's, by which people mention it
	ServerName  string         // the part after the colon in user ids of this server
	Address     string         // URL of the homeserver, for invitations

	Permissions access.Permissions
	Limits      map[access.Role]Limits // roles that are not in it have none
	Create      CreateDefaults

	EncryptionRequired bool
	MaxCommandAge      time.Duration // what waited longer is not run; 0 = no limit

	// Messages are the texts to forward to a friend, by language, with the
	// placeholders {server}, {address}, {code}, {until}, {uses} and {page}.
	// Languages that are not in it have the built-in text.
	Messages map[string]string
	Apps     Apps
	// Identity says how the bot's device can be recognised; masterKey is empty
	// if the server keeps a former one, and ok is false without encryption. It
	// may be nil.
	Identity func(ctx context.Context) (deviceID, fingerprint, masterKey string, ok bool)
}

// Apps are URLs of web clients that the built-in text to forward names; empty
// ones are left out.
type Apps struct{ Cinny, Element string }

// Limits hold back a role. Zero means no limit.
type Limits struct {
	Uses      int           // the most uses that a token may have
	Expires   time.Duration // the longest that a token may be valid
	Open      int           // tokens of one person that are valid at the same time
	PerDay    int           // tokens that one person makes within 24 hours
	PerMinute int           // commands of one person
}

// CreateDefaults are what `create` without options makes.
type CreateDefaults struct {
	Uses    int           // at least 1
	Expires time.Duration // more than 0
	Length  int           // characters of the token's text
}

func (s Settings) zone() *time.Location {
	if s.Zone == nil {
		return time.UTC
	}
	return s.Zone
}
