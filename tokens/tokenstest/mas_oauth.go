package tokenstest

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"
)

// grant is POST /oauth2/token with grant_type=client_credentials.
func (s *MAS) grant(w http.ResponseWriter, r *http.Request) {
	if !s.clientMay(w, r) {
		return
	}
	scopes, given := r.PostForm["scope"]
	switch {
	case r.PostForm.Get("grant_type") == "":
		refuseOAuth(w, http.StatusBadRequest, "invalid_request", "")
	case r.PostForm.Get("grant_type") != "client_credentials":
		refuseOAuth(w, http.StatusBadRequest, "unsupported_grant_type", "")
	case given && scopes[0] == "":
		refuseOAuth(w, http.StatusInternalServerError, "server_error", "")
	case given && (scopes[0] != "urn:mas:admin" || s.refused):
		refuseOAuth(w, http.StatusForbidden, "invalid_scope", fmt.Sprintf("scope '%s' not allowed", scopes[0]))
	default:
		session := &masSession{
			token: fmt.Sprintf("mat_%024d_checks", len(s.sessions)), admin: given, ends: time.Now().Add(s.options.Lifetime),
		}
		s.sessions = append(s.sessions, session)
		answer := map[string]any{
			"access_token": session.token, "token_type": "Bearer", "expires_in": int(s.options.Lifetime / time.Second),
		}
		if given {
			answer["scope"] = scopes[0]
		}
		write(w, http.StatusOK, answer)
	}
}

// revokeSession is POST /oauth2/revoke. It takes any text for a token, but
// finishes only sessions whose tokens are still valid.
func (s *MAS) revokeSession(w http.ResponseWriter, r *http.Request) {
	if !s.clientMay(w, r) {
		return
	}
	if r.PostForm.Get("token") == "" {
		refuseOAuth(w, http.StatusBadRequest, "invalid_request", "")
		return
	}
	for _, session := range s.sessions {
		if session.token == r.PostForm.Get("token") && time.Now().Before(session.ends) {
			session.finished = true
		}
	}
	w.WriteHeader(http.StatusOK) // with an empty body
}

// clientMay reads the form and checks the client's credentials, in just the
// way that the client is registered with.
func (s *MAS) clientMay(w http.ResponseWriter, r *http.Request) bool {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if mediaType != "application/x-www-form-urlencoded" || r.ParseForm() != nil || len(r.PostForm) == 0 {
		refuseOAuth(w, http.StatusBadRequest, "invalid_request", "")
		return false
	}
	id, secret, basic := r.BasicAuth()
	method := "client_secret_basic"
	if !basic {
		id, secret, method = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret"), "client_secret_post"
	}
	switch {
	case id == "" && secret == "":
		refuseOAuth(w, http.StatusBadRequest, "invalid_request", "No credentials were presented")
		return false
	case method != s.options.AuthMethod, id != MASClientID, secret != MASClientSecret:
		refuseOAuth(w, http.StatusUnauthorized, "invalid_client", "Client authentication failed.")
		return false
	}
	return true
}

func refuseOAuth(w http.ResponseWriter, status int, code, description string) {
	body := map[string]string{"error": code}
	if description != "" {
		body["error_description"] = description
	}
	write(w, status, body)
}

// authorized checks the access token of a request of the admin API.
func (s *MAS) authorized(w http.ResponseWriter, r *http.Request) bool {
	header := r.Header.Get("Authorization")
	token, isBearer := strings.CutPrefix(header, "Bearer ")
	status, title := http.StatusUnauthorized, "Invalid type of access token"
	switch {
	case header == "":
		status, title = http.StatusBadRequest, "Missing authorization header"
	case !isBearer, token == "":
		status, title = http.StatusBadRequest, "Invalid authorization header"
	case token == MASPersonalToken:
		return true
	}
	for _, session := range s.sessions {
		switch {
		case session.token != token:
		case session.finished:
			title = "Access token revoked"
		case !time.Now().Before(session.ends):
			title = "Access token expired"
		case !session.admin:
			title = "Missing urn:mas:admin scope"
		default:
			return true
		}
	}
	refuseMAS(w, status, title)
	return false
}
