package tokenstest

import (
	"net/http"
	"slices"
	"strings"

	"matrix-registration-bot/tokens"
)

// Register makes an account.
func (s *Synapse) Register(account tokens.Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accounts = append(s.accounts, account)
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
		if strings.Contains(account.UserID, wanted) {
			list = append(list, user{account.UserID, account.Made.Unix() * 1000})
		}
	}
	write(w, http.StatusOK, map[string]any{"users": list, "total": len(list)})
}
