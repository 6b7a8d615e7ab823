package appservice

import (
	"context"
	"net/http"
)

// Readiness is how the parts of the program are, each in a word or a short
// sentence. Anybody who reaches the port can read it: no secrets, no addresses.
//
// Only the database decides Ready. The others are there to be read: if they
// made the bot unready, a homeserver that waits for it would wait for ever.
type Readiness struct {
	Ready      bool   `json:"ready"`
	Database   string `json:"database"`
	Homeserver string `json:"homeserver"`
	WayBack    string `json:"way_back"` // from the homeserver to the bot, tried by a ping
	TokenAPI   string `json:"token_api"`
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
		Listening string `json:"listening"` // anything that gets an answer sees it
		Readiness
	}{"ok", s.cfg.Ready(ctx)}
	status := http.StatusOK
	if !state.Ready {
		status = http.StatusServiceUnavailable
	}
	reply(w, status, state)
}
