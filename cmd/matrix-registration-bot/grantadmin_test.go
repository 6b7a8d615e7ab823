//go:build goolm

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A proxy that sends from http to https makes a GET of a PUT, and the answer to
// that is a success which grants nothing.
func TestGrantAdminTakesNoRedirectForASuccess(t *testing.T) {
	for _, moves := range []string{http.MethodGet, http.MethodPut} {
		t.Run(moves, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == moves && r.URL.Path != "/moved" {
					http.Redirect(w, r, "/moved", http.StatusMovedPermanently)
				}
			}))
			defer server.Close()
			folder := t.TempDir()
			token := filepath.Join(folder, "token")
			if err := os.WriteFile(token, []byte("secret"), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errors strings.Builder
			code := execute([]string{"-c", filepath.Join(folder, "config.yaml"), "grant-admin", "--yes", "--access-token-file", token}, surroundings{
				environ: []string{"HOMESERVER_DOMAIN=example.com", "HOMESERVER_ADDRESS=" + server.URL, "ENCRYPTION_ENABLED=false"},
				stdin:   strings.NewReader(""), stdout: &out, stderr: &errors,
			})
			if code != exitFailed || out.String() != "" || !strings.Contains(errors.String(), "(HTTP 301)") {
				t.Errorf("exit %d\n%s%s", code, out.String(), errors.String())
			}
		})
	}
}
