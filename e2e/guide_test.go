//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
)

// guide is what a document says about something.
type guide struct {
	scene  *scene
	text   string
	places *strings.Replacer // of the guide: by what stands for them in the test
}

// shellBlock is what an admin is to type.
var shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")

// guide reads a section of a document. Places are pairs: what the guide says,
// and what it is here. Whoever runs the test stands for all users. e2e/deploy
// follows the documents as they are.
func (s *scene) guide(document, section string, places ...string) guide {
	s.Helper()
	content, err := os.ReadFile("../docs/" + document)
	s.must(err)
	_, text, found := strings.Cut(string(content), section+"\n")
	if !found {
		s.Fatalf("%s has no section %q", document, section)
	}
	marks, _, _ := strings.Cut(section, " ")
	text, _, _ = strings.Cut(text, "\n"+marks+" ")
	me, err := user.Current()
	s.must(err)
	mine, err := user.LookupGroupId(me.Gid)
	s.must(err)
	return guide{s, text, strings.NewReplacer(append(places, "chgrp matrix-synapse", "chgrp "+mine.Name, "chown root:", "chown "+me.Username+":")...)}
}

// follow does what one of the guide's shell blocks says: the one that holds a
// text. Services are not this machine's; the test starts and stops the bot.
func (g guide) follow(holds string) {
	g.scene.Helper()
	programs := g.scene.TempDir()
	g.scene.must(os.WriteFile(filepath.Join(programs, "systemctl"), []byte("#!/bin/sh\n"), 0o700))
	binary, err := laboratory.Build(g.scene.Context())
	g.scene.must(err)
	for _, block := range shellBlock.FindAllStringSubmatch(g.text, -1) {
		if !strings.Contains(block[1], holds) {
			continue
		}
		cmd := exec.CommandContext(g.scene.Context(), "bash", "-euc", g.places.Replace(block[1]))
		cmd.Env = append(os.Environ(), "PATH="+programs+":"+filepath.Dir(binary)+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			g.scene.Fatalf("%s: %v\n%s", block[1], err, out)
		}
		return
	}
	g.scene.Fatalf("the guide has no block with %q", holds)
}
