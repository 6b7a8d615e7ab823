// Package docs_test checks what the documents say about the source tree.
package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// named is a test as the documents name it: its folder and its function.
var named = regexp.MustCompile("`([a-z0-9/-]+)\\.((?:Test|Fuzz)\\w*)`")

func TestTheTestsBehindTheSecurityPageExist(t *testing.T) {
	page := read(t, "security.md")
	functions := map[string]map[string]bool{} // of a folder
	for _, test := range named.FindAllStringSubmatch(page, -1) {
		folder, function := test[1], test[2]
		if functions[folder] == nil {
			functions[folder] = testsIn(t, filepath.Join("..", folder))
		}
		if !functions[folder][function] {
			t.Errorf("there is no %s in %s", function, folder)
		}
	}
	_, threats, _ := strings.Cut(page, "## What somebody could try\n")
	for line := range strings.Lines(threats) {
		isRow := strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| try |")
		if isRow && !named.MatchString(line) {
			t.Errorf("no test stands behind %q", line)
		}
	}
}

// testsIn returns the test functions of a folder, whatever their build tags.
func testsIn(t *testing.T, folder string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil {
				found[function.Name.Name] = true
			}
		}
	}
	return found
}

// link is a Markdown link to a file, or to a heading in one.
var link = regexp.MustCompile(`\]\(([^):]*?)(?:#([a-z0-9-]*))?\)`)

func TestLinksLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	guides, err := filepath.Glob("install/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(append(pages, guides...), "../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md") {
		for _, match := range link.FindAllStringSubmatch(read(t, page), -1) {
			target := page
			if match[1] != "" {
				target = filepath.Join(filepath.Dir(page), match[1])
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s, which is not there", page, match[1])
			} else if match[2] != "" && !hasHeading(read(t, target), match[2]) {
				t.Errorf("%s links to #%s, which is no heading of %s", page, match[2], target)
			}
		}
	}
}

// targets are what the Makefile can be asked for.
var targets = regexp.MustCompile(`(?m)^\.PHONY: (.*)$`)

// target is one as the table in CONTRIBUTING.md begins a line with it.
var target = regexp.MustCompile("(?m)^\\| `make ([a-z0-9-]+)")

func TestContributorsFindEveryMakeTarget(t *testing.T) {
	want := strings.Fields(targets.FindStringSubmatch(read(t, "../Makefile"))[1])
	var got []string
	for _, match := range target.FindAllStringSubmatch(read(t, "../CONTRIBUTING.md"), -1) {
		got = append(got, match[1])
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("CONTRIBUTING.md tells of %q, while the Makefile has %q", got, want)
	}
}

var notInAnchors = regexp.MustCompile(`[^a-z0-9 -]`)

// hasHeading tells whether a page has a heading with this anchor.
func hasHeading(page, anchor string) bool {
	for line := range strings.Lines(page) {
		title, isHeading := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		name := notInAnchors.ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
		if isHeading && strings.HasPrefix(line, "#") && strings.ReplaceAll(name, " ", "-") == anchor {
			return true
		}
	}
	return false
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
