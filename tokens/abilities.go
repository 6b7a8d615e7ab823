package tokens

import "context"

// Abilities tell what a kind of server can do beyond Server, and what it does
// differently.
type Abilities struct {
	Kind string // KindSynapse, KindMAS or KindDendrite; empty while it is not known yet

	Revokes    bool // Delete only revokes: the token stays, its text stays taken, and a Restorer brings it back
	Pending    bool // Token.Pending counts the registrations that were begun
	LastUser   bool // it is a UserFinder
	Unenforced bool // it lets people register without a token all the same

	SignUp string // address of the page where people make accounts; empty = they do it in an app, or it is not known yet
}

// Restorer brings back what Delete only revoked.
type Restorer interface {
	// Restore makes a revoked token usable again, as far as its uses and its
	// expiry allow, or returns ErrNotFound or ErrNotRevoked.
	Restore(ctx context.Context, text string) (Token, error)
}

// Editor changes tokens.
type Editor interface {
	// Update gives the token that the spec names the uses and the expiry of the
	// spec, or returns ErrNotFound.
	Update(ctx context.Context, spec Spec) (Token, error)
}

// Filterer leaves out what can't be used any more.
type Filterer interface {
	// ListValid returns the tokens whose state is Valid, in no particular order.
	ListValid(ctx context.Context) ([]Token, error)
}

// UserFinder finds out who used a token.
type UserFinder interface {
	// LastUser returns the localpart of the user who probably made the last use
	// of a token that Get or List returned. The server does not say it: an account
	// was made just when the token was used. It is empty if there is none.
	LastUser(ctx context.Context, token Token) (localpart string, err error)
}

// SignUpTeller tells how people make accounts, where the homeserver itself
// does not know it.
type SignUpTeller interface {
	SignUp(ctx context.Context) (SignUp, error)
}

// SignUp is how people make accounts with a password.
type SignUp struct {
	Open        bool // they can
	WantsTokens bool // they need a registration token for it
}

// AbilitiesOf returns the abilities of a server; one that does not tell has none.
func AbilitiesOf(server Server) Abilities {
	if able, ok := server.(interface{ Abilities() Abilities }); ok {
		return able.Abilities()
	}
	return Abilities{}
}
