package lab

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/id"
	"maunium.net/go/mautrix/synapseadmin"
)

// Token is a registration token as Synapse itself reports it.
type Token struct {
	Text      string `json:"token"`
	Uses      *int   `json:"uses_allowed,omitempty"`
	Pending   int    `json:"pending,omitempty"`
	Completed int    `json:"completed,omitempty"`
	Expires   *int64 `json:"expiry_time,omitempty"` // ms since 1970
}

// Appoint makes the server admin in whose name the lab uses the admin API, once
// after the first start.
func (s *Synapse) Appoint(ctx context.Context) error {
	client, err := mautrix.NewClient(s.URL, "", "")
	if err != nil {
		return fmt.Errorf("making the server admin: %w", err)
	}
	s.admin.Client = client
	made, err := s.admin.SharedSecretRegister(ctx, s.secret, synapseadmin.ReqSharedSecretRegister{
		Username: "operator", Password: s.secret, Admin: true,
	})
	if err != nil {
		return fmt.Errorf("making the server admin: %w", err)
	}
	client.UserID, client.AccessToken = made.UserID, made.AccessToken
	return nil
}

// AdminToken is the access token of that server admin.
func (s *Synapse) AdminToken() string { return s.admin.Client.AccessToken }

// IsAdmin tells whether a user is a server admin.
func (s *Synapse) IsAdmin(ctx context.Context, user id.UserID) (bool, error) {
	info, err := s.admin.GetUserInfo(ctx, user)
	if err != nil {
		return false, fmt.Errorf("asking about %s: %w", user, err)
	}
	return info.Admin, nil
}

// register makes an account for a person, whom the homeserver's rate limits do
// not hold back.
func (s *Synapse) register(ctx context.Context, localpart, password string) error {
	s.secrets.add("password", password)
	_, err := s.admin.SharedSecretRegister(ctx, s.secret, synapseadmin.ReqSharedSecretRegister{
		Username: localpart, Password: password, InhibitLogin: true,
	})
	if err != nil {
		return fmt.Errorf("registering %s: %w", localpart, err)
	}
	if err := s.admin.SetUserRatelimit(ctx, s.UserID(localpart), synapseadmin.ReqSetRatelimit{}); err != nil {
		return fmt.Errorf("lifting the rate limits of %s: %w", localpart, err)
	}
	return nil
}

// Exists returns nil if the homeserver has that user.
func (s *Synapse) Exists(ctx context.Context, user id.UserID) error {
	_, err := s.admin.GetUserInfo(ctx, user)
	return err
}

// SetAdmin makes a user a server admin, or an ordinary user again.
func (s *Synapse) SetAdmin(ctx context.Context, user id.UserID, admin bool) error {
	err := s.admin.CreateOrModifyAccount(ctx, user, synapseadmin.ReqCreateOrModifyAccount{Admin: &admin})
	if err != nil {
		return fmt.Errorf("making %s a server admin: %w", user, err)
	}
	return nil
}

// Empty waits until nobody of this homeserver is in a room.
func (s *Synapse) Empty(ctx context.Context, room id.RoomID) error {
	return s.process.until(ctx, "everybody has left "+room.String(), func(ctx context.Context) error {
		info, err := s.admin.RoomInfo(ctx, room)
		if err != nil {
			return err
		}
		if info.JoinedLocalMembers > 0 {
			return fmt.Errorf("%d members", info.JoinedLocalMembers)
		}
		return nil
	})
}

// Tokens returns the homeserver's registration tokens by their text.
func (s *Synapse) Tokens(ctx context.Context) (map[string]Token, error) {
	var list struct {
		Tokens []Token `json:"registration_tokens"`
	}
	if err := s.tokenAPI(ctx, http.MethodGet, nil, &list); err != nil {
		return nil, fmt.Errorf("listing tokens: %w", err)
	}
	byText := make(map[string]Token, len(list.Tokens))
	for _, token := range list.Tokens {
		byText[token.Text] = token
	}
	return byText, nil
}

// CreateToken makes a token without the bot's help.
func (s *Synapse) CreateToken(ctx context.Context, token Token) error {
	if err := s.tokenAPI(ctx, http.MethodPost, token, nil, "new"); err != nil {
		return fmt.Errorf("creating a token: %w", err)
	}
	return nil
}

// EndToken lets a token expire within a second, as an admin could do it without
// the bot.
func (s *Synapse) EndToken(ctx context.Context, text string) error {
	soon := time.Now().Add(time.Second).UnixMilli()
	if err := s.tokenAPI(ctx, http.MethodPut, map[string]any{"expiry_time": soon}, nil, text); err != nil {
		return fmt.Errorf("ending a token: %w", err)
	}
	return nil
}

// DeleteTokens removes every token.
func (s *Synapse) DeleteTokens(ctx context.Context) error {
	all, err := s.Tokens(ctx)
	if err != nil {
		return err
	}
	for text := range all {
		if err := s.tokenAPI(ctx, http.MethodDelete, nil, nil, text); err != nil {
			return fmt.Errorf("deleting a token: %w", err)
		}
	}
	return nil
}

func (s *Synapse) tokenAPI(ctx context.Context, method string, request, response any, path ...any) error {
	url := s.admin.BuildAdminURL(append([]any{"v1", "registration_tokens"}, path...)...)
	_, err := s.admin.Client.MakeRequest(ctx, method, url, request, response)
	return err
}
