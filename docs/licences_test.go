package docs_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	update = flag.Bool("update", false, "write licences.md anew")
	// Those who get the program have to get them: deploy/release.sh puts the file
	// into archives and packages, make rootfs into the image.
	texts = flag.String("texts", "", "a `file` to write the licences to, in full")
)

const aboutLicences = `# Licences

The program is under the Apache License 2.0, see [LICENSE](../LICENSE). These Go modules are built into it, and Go's own library (BSD-3-Clause):

| module | version | licence |
|---|---|---|
`

// licences are known by words that stand in no other.
var licences = []struct{ name, words, without string }{
	{"MIT", "Permission is hereby granted, free of charge", ""},
	{"Apache-2.0", "Apache License Version 2.0", ""},
	{"Apache-2.0", "Apache License, Version 2.0", ""},
	{"MPL-2.0", "Mozilla Public License Version 2.0", ""},
	{"MPL-2.0", "Mozilla Public License, version 2.0", ""},
	{"BSD-3-Clause", "Neither the name of", ""},
	{"BSD-2-Clause", "Redistributions in binary form must reproduce", "Neither the name of"},
}

// After a change of dependencies: go test -tags goolm ./docs -update
func TestTheLicencesOfAllThatIsBuiltInAreListed(t *testing.T) {
	want := aboutLicences
	for _, module := range builtIn(t) {
		path, version, dir := module[0], module[1], module[2]
		licence := licenceIn(t, dir)
		if licence == "" {
			t.Errorf("%s has no licence that is known here: look into %s", path, dir)
		}
		want += fmt.Sprintf("| `%s` | %s | %s |\n", path, version, licence)
	}
	if *texts != "" {
		writeTexts(t)
	}
	if *update {
		if err := os.WriteFile("licences.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, "licences.md") != want {
		t.Errorf("licences.md should be (go test -tags goolm ./docs -update):\n%s", want)
	}
}

// builtIn returns path, version and folder of each module that the program holds.
func builtIn(t *testing.T) (modules [][]string) {
	t.Helper()
	const line = "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}"
	list := exec.Command("go", "list", "-deps", "-tags", "goolm", "-f", line, "../cmd/matrix-registration-bot")
	list.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for text := range strings.Lines(string(out)) {
		if module := strings.Fields(text); len(module) == 3 && !seen[module[0]] {
			seen[module[0]] = true
			modules = append(modules, module)
		}
	}
	slices.SortFunc(modules, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return modules
}

// licenceIn names the licence of a module, or the licences if it has several.
func licenceIn(t *testing.T, dir string) string {
	t.Helper()
	var names []string
	for _, file := range licenceFiles(t, dir, "LICEN[SC]E*", "COPYING*") {
		text := strings.Join(strings.Fields(read(t, file)), " ")
		for _, l := range licences {
			if strings.Contains(text, l.words) && (l.without == "" || !strings.Contains(text, l.without)) {
				names = append(names, l.name)
			}
		}
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " and ")
}

func licenceFiles(t *testing.T, dir string, patterns ...string) (files []string) {
	t.Helper()
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

// writeTexts writes the licences and notices of all that is built in, in full.
func writeTexts(t *testing.T) {
	t.Helper()
	goRoot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, module := range append(builtIn(t), []string{"Go", "", strings.TrimSpace(string(goRoot))}) {
		for _, file := range licenceFiles(t, module[2], "LICEN[SC]E*", "COPYING*", "NOTICE*", "PATENTS*") {
			fmt.Fprintf(&all, "==== %s: %s\n\n%s\n\n", strings.TrimSpace(module[0]+" "+module[1]), filepath.Base(file), strings.TrimSpace(read(t, file)))
		}
	}
	if err := os.WriteFile(*texts, []byte(all.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
