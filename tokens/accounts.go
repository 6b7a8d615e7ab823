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
	// first, at most MostAccounts, as far as people may have registered them:
	// without those of server admins, and without those of appservices unless there
	// are more than a few accounts.
	NewAccounts(ctx context.Context, since time.Time) ([]Account, error)
}

// MostAccounts is how many new accounts a server lists; there may be more.
const MostAccounts = 100

// fewAccounts is up to how many new accounts are asked about one by one.
const fewAccounts = 10

const (
	synapseUsers = "/_synapse/admin/v3/users"
	synapseUser  = "/_synapse/admin/v2/users/"
)

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
		"order_by": {"creation_ts"}, "dir": {"b"}, "guests": {"false"}, "admins": {"false"}, "limit": {strconv.Itoa(MostAccounts)}, "name": {"%"},
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
	if len(accounts) > fewAccounts {
		return accounts, nil
	}
	return s.people(ctx, accounts)
}

// people leaves out the accounts that an appservice made, such as a bridge for
// those on its other side, by asking GET /users/<user_id> for each
// (https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#query-user-account):
// the list does not tell.
func (s *synapse) people(ctx context.Context, accounts []Account) ([]Account, error) {
	var people []Account
	for _, account := range accounts {
		answer, err := do[struct {
			Appservice string `json:"appservice_id"`
		}](ctx, s.client, call{op: "look up an account", method: http.MethodGet, path: synapseUser + url.PathEscape(account.UserID)})
		if err != nil {
			return nil, err
		}
		if answer.Appservice == "" {
			people = append(people, account)
		}
	}
	return people, nil
}

// NewAccounts implements AccountLister.
func (a *API) NewAccounts(ctx context.Context, since time.Time) ([]Account, error) {
	const op = "list accounts"
	return use(ctx, a, op, func(s backend) ([]Account, error) {
		if lister, ok := s.(AccountLister); ok {
			return lister.NewAccounts(ctx, since)
		}
		return nil, &Error{Kind: ErrUnable, Op: op}
	})
}
