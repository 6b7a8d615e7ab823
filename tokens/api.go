package tokens

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// API is the token API of the configured server. If the config does not name
// the kind of server, it is found out at the first use; either way it looks
// again when the API is no longer there. What the server's kind can't do gives
// ErrUnable.
type API struct {
	config Config

	mu     sync.Mutex
	server backend // nil = not found out yet
}

// Abilities are those of the server; none but Kind is certain to stay.
func (a *API) Abilities() Abilities {
	if server := a.known(); server != nil {
		return server.Abilities()
	}
	return Abilities{}
}

// List returns all tokens, in no particular order.
func (a *API) List(ctx context.Context) ([]Token, error) {
	return use(ctx, a, "list tokens", func(s backend) ([]Token, error) { return s.List(ctx) })
}

// ListValid returns the tokens whose state is Valid, in no particular order.
func (a *API) ListValid(ctx context.Context) ([]Token, error) {
	return use(ctx, a, "list tokens", func(s backend) ([]Token, error) {
		if filterer, ok := s.(Filterer); ok {
			return filterer.ListValid(ctx)
		}
		list, err := s.List(ctx)
		now := time.Now()
		return slices.DeleteFunc(list, func(t Token) bool { return t.State(now) != Valid }), err
	})
}

// Get returns one token, or ErrNotFound.
func (a *API) Get(ctx context.Context, text string) (Token, error) {
	return use(ctx, a, "show token", func(s backend) (Token, error) { return s.Get(ctx, text) })
}

// Create makes the token, or returns ErrExists if its text is taken.
func (a *API) Create(ctx context.Context, spec Spec) (Token, error) {
	return use(ctx, a, "create token", func(s backend) (Token, error) { return s.Create(ctx, spec) })
}

// Update gives the token that the spec names the uses and the expiry of the
// spec, or returns ErrNotFound.
func (a *API) Update(ctx context.Context, spec Spec) (Token, error) {
	return use(ctx, a, "change token", func(s backend) (Token, error) { return s.Update(ctx, spec) })
}

// Delete removes or revokes the token, or returns ErrNotFound.
func (a *API) Delete(ctx context.Context, text string) error {
	_, err := use(ctx, a, "delete token", func(s backend) (struct{}, error) { return struct{}{}, s.Delete(ctx, text) })
	return err
}

// Restore makes a revoked token usable again, or returns ErrNotFound or
// ErrNotRevoked.
func (a *API) Restore(ctx context.Context, text string) (Token, error) {
	const op = "restore token"
	return use(ctx, a, op, func(s backend) (Token, error) {
		if restorer, ok := s.(Restorer); ok {
			return restorer.Restore(ctx, text)
		}
		return Token{}, &Error{Kind: ErrUnable, Op: op}
	})
}

// LastUser returns the localpart of the user who probably made the last use of
// the token, empty if there is none.
func (a *API) LastUser(ctx context.Context, token Token) (string, error) {
	const op = "find who used the token"
	return use(ctx, a, op, func(s backend) (string, error) {
		if finder, ok := s.(UserFinder); ok {
			return finder.LastUser(ctx, token)
		}
		return "", &Error{Kind: ErrUnable, Op: op}
	})
}

// SignUp tells how people make accounts.
func (a *API) SignUp(ctx context.Context) (SignUp, error) {
	const op = "find how people sign up"
	return use(ctx, a, op, func(s backend) (SignUp, error) {
		if teller, ok := s.(SignUpTeller); ok {
			return teller.SignUp(ctx)
		}
		return SignUp{}, &Error{Kind: ErrUnable, Op: op}
	})
}

// Close gives back what the server lent. The API can be used on.
func (a *API) Close(ctx context.Context) error {
	if closer, ok := a.known().(interface{ Close(context.Context) error }); ok {
		return closer.Close(ctx)
	}
	return nil
}

func (a *API) known() backend {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.server
}

// use asks the server, and finds out again which it is if its API is not there.
func use[T any](ctx context.Context, a *API, op string, ask func(backend) (T, error)) (T, error) {
	var none T
	server := a.known()
	if server == nil {
		kind, err := a.detect(ctx)
		if err != nil {
			return none, prepared(op, err)
		}
		if server, err = a.become(kind); err != nil {
			return none, prepared(op, err)
		}
		return ask(server)
	}
	answer, err := ask(server)
	if !errors.Is(err, ErrNoAPI) { // so it had no effect
		return answer, err
	}
	kind, detectErr := a.detect(ctx)
	switch {
	case errors.Is(detectErr, ErrHasNone):
		return none, prepared(op, detectErr)
	case detectErr != nil, kind == server.Abilities().Kind:
		return answer, err
	case a.config.Kind != KindAuto:
		return none, recast(err, func(e *Error) { e.Kind, e.Found = ErrWrongKind, kind })
	}
	if server, err = a.become(kind); err != nil {
		return none, prepared(op, err)
	}
	return ask(server)
}

// become goes on as a client of another kind of server.
func (a *API) become(kind string) (backend, error) {
	server, err := newBackend(a.config, kind)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.server = server
	return server, nil
}
