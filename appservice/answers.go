package appservice

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// Error codes of the Matrix specification.
const (
	codeForbidden    = "M_FORBIDDEN"
	codeMissingToken = "M_MISSING_TOKEN"
	codeNotFound     = "M_NOT_FOUND"
	codeNotJSON      = "M_NOT_JSON"
	codeUnknown      = "M_UNKNOWN"
	codeUnrecognized = "M_UNRECOGNIZED"
)

// reply answers with JSON and its length: Synapse takes an answer without a
// body, or one whose end it can't tell, for a failure.
func reply(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // only our own plain structs come here
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // the caller is gone: nobody is left to tell
}

// refuse answers with a Matrix error.
func refuse(w http.ResponseWriter, status int, code, message string) {
	reply(w, status, struct {
		Code    string `json:"errcode"`
		Message string `json:"error"`
	}{code, message})
}
