package lab

import (
	"os"
	"path/filepath"
	"testing"
)

func TestSecretsAreFoundInLogs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("# x\na: {b: secret-of-the-config}\nc: top-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var s secrets
	if err := s.addFrom(file, "a.b", "c"); err != nil {
		t.Fatal(err)
	}
	s.add("token", "grandma-2026")
	s.add("short", "ok")
	for log, want := range map[string]string{
		"all is ok\n": "",
		"1 fine\n2 with secret-of-the-config in it\n3 fine": "a.b: 2 with secret-of-the-config in it",
		`error="Get /x?access_token=top-secret: EOF"`:       `c: error="Get /x?access_token=top-secret: EOF"`,
		"GET /tokens/%67%72%61%6E%64%6D%61-2026":            "token: GET /tokens/grandma-2026",
		"100% of grandma-202":                               "",
	} {
		found := s.foundIn([]byte(log))
		if want == "" && len(found) > 0 || want != "" && (len(found) != 1 || found[0] != want) {
			t.Errorf("%q: found %q, want %q", log, found, want)
		}
	}
}
