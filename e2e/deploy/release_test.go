//go:build e2e

package deploy

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// releaseVersion is what the tests call the version that they build.
const releaseVersion = "0.0.0-test"

// architectures are those that are released, and what packages call them.
var architectures = []struct{ name, deb, rpm string }{
	{"amd64", "amd64", "x86_64"},
	{"arm64", "arm64", "aarch64"},
	{"armv7", "armhf", "armv7hl"},
}

// releasing is a script that is given a folder, the version and all architectures.
func releasing(script, folder string) *exec.Cmd {
	cmd := exec.Command(root+"/deploy/"+script, folder, releaseVersion)
	for _, architecture := range architectures {
		cmd.Args = append(cmd.Args, architecture.name)
	}
	return cmd
}

// release builds the release once, and returns its folder.
var release = sync.OnceValues(func() (string, error) {
	laboratory.Announce("Building a release")
	folder, err := laboratory.Folder("release")
	if err != nil {
		return "", err
	}
	cmd := releasing("release.sh", folder)
	cmd.Stderr = os.Stderr
	return folder, cmd.Run()
})

func released(t *testing.T) string {
	t.Helper()
	folder, err := release()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// The names of what is released begin with linux, and amd64 is for this kind of machine.
const (
	linux = "matrix-registration-bot_" + releaseVersion + "_linux_"
	amd64 = linux + "amd64"
)

func TestAReleaseHasArchivePackagesPartsAndChecksums(t *testing.T) {
	folder := released(t)
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	want := []string{"SHA256SUMS"}
	for _, architecture := range architectures {
		for _, end := range []string{".cdx.json", ".deb", ".rpm", ".tar.gz"} {
			want = append(want, linux+architecture.name+end)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("the release is %q, not %q", names, want)
	}
	check := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	check.Dir = folder
	if out := output(t, check); strings.Count(out, ": OK") != len(want)-1 {
		t.Errorf("not every file has a checksum:\n%s", out)
	}
}

// Without what the Go tool has kept: make release-check.
func TestTheSameCommitGivesTheSameReleaseInAnotherFolder(t *testing.T) {
	output(t, releasing("release-check.sh", released(t)))
}

func TestTheListOfPartsNamesEveryModuleOfTheProgram(t *testing.T) {
	folder := released(t)
	var parts struct {
		Format     string `json:"bomFormat"`
		Components []struct{ Name, Version string }
	}
	text, err := os.ReadFile(filepath.Join(folder, amd64+".cdx.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &parts); err != nil || parts.Format != "CycloneDX" {
		t.Fatalf("this is no list of parts: %v", err)
	}
	program := t.TempDir()
	output(t, exec.Command("tar", "--extract", "--file", filepath.Join(folder, amd64+".tar.gz"), "--directory", program))
	program = filepath.Join(program, amd64, "matrix-registration-bot")
	if out := output(t, exec.Command(program, "version")); !strings.HasPrefix(out, "matrix-registration-bot "+releaseVersion+" ") {
		t.Errorf("the program is %q", out)
	}
	for line := range strings.Lines(output(t, exec.CommandContext(context.Background(), "go", "version", "-m", program))) {
		fields := strings.Fields(line)
		if fields[0] == "dep" && !slices.ContainsFunc(parts.Components, func(c struct{ Name, Version string }) bool {
			return c.Name == fields[1] && c.Version == fields[2]
		}) {
			t.Errorf("the list lacks %s %s", fields[1], fields[2])
		}
	}
}
