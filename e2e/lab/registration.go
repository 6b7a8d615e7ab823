package lab

import (
	"context"
	"errors"
	"fmt"

	"maunium.net/go/mautrix"
)

// ErrTokenRefused means that the homeserver does not take a registration token:
// unknown, used up or expired.
var ErrTokenRefused = errors.New("invalid registration token")

// tokenStage is the answer to the stage of user-interactive authentication that
// asks for a registration token.
type tokenStage struct {
	mautrix.BaseAuthData
	Token string `json:"token"`
}

// SignUp makes an account the way a client does for a newcomer: with a
// registration token, through the client API. A token that the server does not take
// is ErrTokenRefused.
func (s *Synapse) SignUp(ctx context.Context, localpart, password, token string) error {
	signUp, err := s.BeginSignUp(ctx, localpart, password, token)
	if err != nil {
		return err
	}
	return signUp.Finish(ctx)
}

// SignUp is a registration whose token was taken and which is not finished: it
// counts as pending.
type SignUp struct {
	client  *mautrix.Client
	session string
}

// BeginSignUp starts a registration and hands in the token.
func (s *Synapse) BeginSignUp(ctx context.Context, localpart, password, token string) (*SignUp, error) {
	client, err := mautrix.NewClient(s.URL, "", "")
	if err != nil {
		return nil, fmt.Errorf("signing up: %w", err)
	}
	_, begun, err := client.Register(ctx, &mautrix.ReqRegister[any]{
		Username: localpart, Password: password, InhibitLogin: true,
	})
	if begun == nil {
		return nil, fmt.Errorf("signing up: %w", err)
	}
	// Only auth from here on: any other key would replace all that was sent before.
	_, stage, err := client.Register(ctx, &mautrix.ReqRegister[any]{Auth: tokenStage{
		BaseAuthData: mautrix.BaseAuthData{Type: "m.login.registration_token", Session: begun.Session},
		Token:        token,
	}})
	switch {
	case errors.Is(err, mautrix.RespError{ErrCode: "M_UNAUTHORIZED"}):
		return nil, fmt.Errorf("handing in the token: %w: %w", ErrTokenRefused, err)
	case stage == nil:
		return nil, fmt.Errorf("handing in the token: %w", err)
	}
	return &SignUp{client: client, session: begun.Session}, nil
}

// Finish makes the account.
func (u *SignUp) Finish(ctx context.Context) error {
	_, _, err := u.client.Register(ctx, &mautrix.ReqRegister[any]{Auth: mautrix.BaseAuthData{
		Type: mautrix.AuthTypeDummy, Session: u.session,
	}})
	if err != nil {
		return fmt.Errorf("finishing the registration: %w", err)
	}
	return nil
}
