package appservice

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// fromHomeserver lets only requests through that carry the hs_token, in the
// Authorization header (since 1.4), as ?access_token= (before), or in both.
// Every token given must be right, so two that differ are refused.
//
// A missing token is 401 and a wrong one 403, as the specification has it. It
// fixes M_FORBIDDEN for the second and leaves the code of the first open;
// M_MISSING_TOKEN is its code for this everywhere else.
// https://spec.matrix.org/v1.17/application-service-api/#authorization
func (s *Server) fromHomeserver(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given := givenTokens(r)
		if len(given) == 0 {
			s.logRefusal(r, "Refused a request without hs_token")
			refuse(w, http.StatusUnauthorized, codeMissingToken, "The hs_token is missing.")
			return
		}
		for _, token := range given {
			sum := sha256.Sum256([]byte(token))
			if subtle.ConstantTimeCompare(sum[:], s.token[:]) != 1 {
				s.logRefusal(r, "Refused a request with a wrong hs_token: if it was the homeserver, it has read another registration file than the bot (or needs a restart to read it again)")
				refuse(w, http.StatusForbidden, codeForbidden, "The hs_token is wrong.")
				return
			}
		}
		next(w, r)
	}
}

// givenTokens returns the tokens of a request. An empty one counts as none:
// some homeservers send an empty header beside the parameter. So does another
// scheme: that is between a proxy and its clients.
func givenTokens(r *http.Request) []string {
	var given []string
	for _, header := range r.Header.Values("Authorization") {
		scheme, token, _ := strings.Cut(header, " ")
		if token = strings.TrimSpace(token); strings.EqualFold(scheme, "Bearer") && token != "" {
			given = append(given, token)
		}
	}
	for _, token := range r.URL.Query()["access_token"] {
		if token != "" {
			given = append(given, token)
		}
	}
	return given
}

// logRefusal names the route, never the address asked for: that may hold a
// token.
func (s *Server) logRefusal(r *http.Request, message string) {
	s.refusals.Warn().Str("route", r.Pattern).Str("from", r.RemoteAddr).Msg(message)
}
