package tokenstest

import (
	"net/http"
	"slices"
	"strings"

	"matrix-registration-bot/tokens"
)

// account is one with what only the admin API tells of it.
type account struct {
	tokens.Account
	admin      bool
	appservice string // id of the one that made it
}

// Register makes an account.
func (s *Synapse) Register(a tokens.Account) { s.register(account{Account: a}) }

// RegisterAdmin makes the account of a server admin.
func (s *Synapse) RegisterAdmin(a tokens.Account) { s.register(account{Account: a, admin: true}) }

// RegisterGhost makes an account as a bridge does.
func (s *Synapse) RegisterGhost(a tokens.Account) {
	s.register(account{Account: a, appservice: "bridge"})
}

func (s *Synapse) register(a account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts = append(s.accounts, a)
}

// users lists the accounts, newest first. As on a real Synapse, user_id is a
// filter too, though an appservice says with it whom it stands for; a name
// comes before it, and % in it stands for anything.
func (s *Synapse) users(w http.ResponseWriter, r *http.Request) {
	type user struct {
		Name    string `json:"name"`
		Created int64  `json:"creation_ts"`
	}
	query := r.URL.Query()
	wanted := query.Get("name")
	if wanted == "" {
		wanted = query.Get("user_id")
	}
	wanted = strings.ReplaceAll(wanted, "%", "")
	list := []user{}
	for _, account := range slices.Backward(s.accounts) {
		if strings.Contains(account.UserID, wanted) && !(account.admin && query.Get("admins") == "false") {
			list = append(list, user{account.UserID, account.Made.Unix() * 1000})
		}
	}
	write(w, http.StatusOK, map[string]any{"users": list, "total": len(list)})
}

// user tells of one account.
func (s *Synapse) user(w http.ResponseWriter, userID string) {
	i := slices.IndexFunc(s.accounts, func(a account) bool { return a.UserID == userID })
	if i < 0 {
		refuse(w, http.StatusNotFound, "M_NOT_FOUND", "User not found")
		return
	}
	one := s.accounts[i]
	var appservice *string
	if one.appservice != "" {
		appservice = &one.appservice
	}
	write(w, http.StatusOK, map[string]any{
		"name": one.UserID, "admin": one.admin, "appservice_id": appservice,
		"creation_ts": one.Made.Unix(), // here in seconds
	})
}
