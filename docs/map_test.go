package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// On the map a file is named with its folder, and a function behind its file.
var (
	mapped   = regexp.MustCompile("`([a-zA-Z0-9./…_-]+\\.(?:go|yaml|mod)|[a-z0-9/-]+/)`(?: `([A-Za-z]+)`)?")
	exported = regexp.MustCompile("`([a-z]+)\\.([A-Z][A-Za-z]*)(?:\\.([A-Z][A-Za-z]*))?`")
)

// What architecture.md sends its readers to is there.
func TestTheMapNamesWhatExists(t *testing.T) {
	page := read(t, "architecture.md")
	for _, place := range mapped.FindAllStringSubmatch(page, -1) {
		path, function := strings.Replace(place[1], "…", "matrix-registration-bot", 1), place[2]
		if path == "app.go" {
			path = "cmd/matrix-registration-bot/app.go" // in the row of its folder
		}
		if _, err := os.Stat(filepath.Join("..", path)); err != nil {
			t.Errorf("there is no %s", path)
		} else if function != "" && !regexp.MustCompile(`(?m)^func .*\b`+function+`\(`).MatchString(read(t, filepath.Join("..", path))) {
			t.Errorf("there is no %s in %s", function, path)
		}
	}
	for _, name := range exported.FindAllStringSubmatch(page, -1) {
		source := sourceOf(t, name[1])
		for _, part := range name[2:] {
			if part != "" && !regexp.MustCompile(`(?m)^(?:func (?:\(.*?\) )?|type |var |\t)`+part+`\b`).MatchString(source) {
				t.Errorf("there is no %s in package %s", part, name[1])
			}
		}
	}
}

// Each folder with code that is part of the program has its row in the table.
func TestTheMapShowsTheWholeHouse(t *testing.T) {
	page := read(t, "architecture.md")
	folders, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range folders {
		folder := filepath.Base(filepath.Dir(file))
		if folder != "docs" && !strings.Contains(page, "\n| `"+folder+"/` |") {
			t.Errorf("%s/ has no row", folder)
		}
	}
}

// sourceOf returns the code of a package.
func sourceOf(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no package %s: %v", folder, err)
	}
	var source strings.Builder
	for _, file := range files {
		if !strings.HasSuffix(file, "_test.go") {
			source.WriteString(read(t, file))
		}
	}
	return source.String()
}
