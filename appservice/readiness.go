package appservice

import (
	"context"
	"net/http"
)

// Readiness is how the parts of the program are, each in a word or a short
// sentence. Anybody who reaches the port can read it: no secrets, no addresses.
type Readiness struct {
	Ready      bool   `json:"ready"`      // the database is writable
	Database   string `json:"database"`   // decides Ready
	Homeserver string `json:"homeserver"` // the three below never make it unready: a
	WayBack    string `json:"way_back"`   // homeserver that waits for the bot would
	TokenAPI   string `json:"token_api"`  // wait for ever
}

// health says that the process lives.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready says whether the bot can take transactions: 200, or 503 if not yet.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), s.limits.ready)
	defer cancel()
	state := struct {
		Listening string `json:"listening"` // who can ask has the answer
		Readiness
	}{"ok", s.cfg.Ready(ctx)}
	status := http.StatusOK
	if !state.Ready {
		status = http.StatusServiceUnavailable
	}
	reply(w, status, state)
}
