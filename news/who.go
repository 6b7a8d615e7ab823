package news

import (
	"context"
	"errors"
	"slices"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/tokens"
)

const (
	// sameTime is how much earlier than its use was counted an account may have
	// been made. Synapse writes the account first, in whole seconds.
	sameTime = time.Second
	// mostCandidates is up to how many accounts are named that may or may not be
	// meant.
	mostCandidates = 5
)

// use is a token that people registered with since the last look.
type use struct {
	token tokens.Token
	item  *Item
	known []commands.User // who it probably was
}

// nameUsers finds out who used the tokens, as far as the times tell it: no server
// says it. Only failures that will pass are errors.
func (w *Watcher) nameUsers(ctx context.Context, uses []use, since time.Time) error {
	var undecided []*use
	for i := range uses {
		switch user, err := w.Server.LastUser(ctx, uses[i].token); {
		case errors.Is(err, tokens.ErrUnable):
			undecided = append(undecided, &uses[i])
		case tokens.Temporary(err):
			return err
		case err != nil:
			w.Log.Warn().Err(err).Msg("The server does not let the bot find out who used a token")
		case user != "":
			uses[i].known = []commands.User{{ID: id.NewUserID(user, w.Bot.Homeserver()), At: *uses[i].token.LastUsed}}
			uses[i].item.Users = []id.UserID{uses[i].known[0].ID}
		}
	}
	if len(undecided) == 0 || since.IsZero() {
		return nil
	}
	return w.nameByTime(ctx, undecided, since)
}

// nameByTime compares how many people registered with how many accounts were made
// since the last look.
func (w *Watcher) nameByTime(ctx context.Context, uses []*use, since time.Time) error {
	accounts, err := w.newAccounts(ctx, since.Add(-sameTime))
	if err != nil {
		return err
	}
	registered := 0
	for _, use := range uses {
		registered += use.item.Times
	}
	switch fewer := len(accounts) < registered; {
	case fewer && len(uses) > 1, len(accounts) > registered && len(accounts) > mostCandidates:
		return nil // anybody's guess
	case len(accounts) <= registered && len(uses) == 1:
		uses[0].known = accounts
	}
	for _, use := range uses {
		for _, account := range accounts {
			use.item.Users = append(use.item.Users, account.ID)
		}
	}
	return nil
}

// newAccounts are those made since then, oldest first, by whom is not known yet;
// none if the server may not have listed them all.
func (w *Watcher) newAccounts(ctx context.Context, since time.Time) ([]commands.User, error) {
	known, err := w.Store.NewcomersSince(ctx, since.Truncate(time.Second))
	if err != nil {
		return nil, err
	}
	accounts, err := w.Server.NewAccounts(ctx, since)
	switch {
	case errors.Is(err, tokens.ErrUnable):
	case tokens.Temporary(err):
		return nil, err
	case err != nil:
		w.Log.Warn().Err(err).Msg("The server does not tell the bot about new accounts")
	case len(accounts) >= tokens.MostAccounts:
		return nil, nil
	}
	var users []commands.User
	for _, account := range slices.Backward(accounts) {
		if user := id.UserID(account.UserID); user != w.Bot && !slices.Contains(known, user) {
			users = append(users, commands.User{ID: user, At: account.Made})
		}
	}
	return users, nil
}
