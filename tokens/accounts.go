package tokens

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Account is a user account of the server.
type Account struct {
	UserID string // full user id
	Made   time.Time
}

// AccountLister tells of new accounts.
type AccountLister interface {
	// NewAccounts returns the accounts made at or after the given time, newest
	// first, at most MostAccounts.
	NewAccounts(ctx context.Context, since time.Time) ([]Account, error)
}

// MostAccounts is how many new accounts a server lists; there may be more.
const MostAccounts = 100

const synapseUsers = "/_synapse/admin/v3/users"

// NewAccounts asks GET /users
// (https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#list-accounts).
// Times have a resolution of a second. There user_id, which says whom the
// as_token stands for, is a filter as well, except beside a name; and the name
// matches everybody.
func (s *synapse) NewAccounts(ctx context.Context, since time.Time) ([]Account, error) {
	answer, err := do[struct {
		Users []struct {
			Name       string `json:"name"`
			CreationTS int64  `json:"creation_ts"` // Unix time in milliseconds
		} `json:"users"`
	}](ctx, s.client, call{op: "list accounts", method: http.MethodGet, path: synapseUsers, query: url.Values{
		"order_by": {"creation_ts"}, "dir": {"b"}, "guests": {"false"}, "limit": {strconv.Itoa(MostAccounts)}, "name": {"%"},
	}})
	if err != nil {
		return nil, err
	}
	var accounts []Account
	for _, user := range answer.Users {
		made := time.UnixMilli(user.CreationTS)
		if made.Before(since.Truncate(time.Second)) {
			break
		}
		accounts = append(accounts, Account{UserID: user.Name, Made: made})
	}
	return accounts, nil
}

// NewAccounts returns the accounts made at or after the given time, newest
// first.
func (a *API) NewAccounts(ctx context.Context, since time.Time) ([]Account, error) {
	const op = "list accounts"
	return use(ctx, a, op, func(s backend) ([]Account, error) {
		if lister, ok := s.(AccountLister); ok {
			return lister.NewAccounts(ctx, since)
		}
		return nil, &Error{Kind: ErrUnable, Op: op}
	})
}
