//go:build crashpoints

package crashpoint

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
)

// Variable is the environment variable with the path of the order file.
//
// While that file is not there nothing is counted. It holds two lines: a word
// that differs from the last time, whose change begins a new count, and the
// name of the point to die at, or nothing. A name is "before" or "after", what
// happens there, and the how-manieth of its kind this is since the count
// began: so background work, which comes at any time, does not change the
// names of other points. Each point met is added as a line to the file with
// ".met" appended to its name.
const Variable = "CRASH_ORDER"

// order is what the file says, and how far the count is.
type order struct {
	path string
	mu   sync.Mutex
	text string
	met  map[string]int
}

// theOrder is the one of this process: its points are met in every package.
var theOrder = sync.OnceValue(func() *order { return &order{path: os.Getenv(Variable)} })

// meet is called at each point.
func meet(when, what string) {
	if o := theOrder(); o.path != "" {
		o.meet(when + " " + what)
	}
}

func (o *order) meet(point string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text, err := os.ReadFile(o.path)
	if err != nil {
		o.text = ""
		return
	}
	if o.text != string(text) {
		o.text, o.met = string(text), make(map[string]int)
	}
	o.met[point]++
	name := fmt.Sprintf("%s #%d", point, o.met[point])
	o.note(name)
	if _, target, _ := strings.Cut(o.text, "\n"); target == name {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (o *order) note(name string) {
	file, err := os.OpenFile(o.path+".met", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = fmt.Fprintln(file, name)
	}
	if err != nil {
		panic(fmt.Errorf("noting a crash point: %w", err)) // a walk that misses points proves nothing
	}
	_ = file.Close()
}
