package lab

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// instruction is one of a Dockerfile, on one line.
type instruction struct {
	name  string   // in capitals
	flags []string // --name=value
	rest  string
}

// stages are the instructions of each stage of a Dockerfile, FROM included.
func stages(dockerfile string) (stages [][]instruction) {
	var kept []string
	for line := range strings.Lines(dockerfile) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			kept = append(kept, line)
		}
	}
	text := strings.ReplaceAll(strings.Join(kept, ""), "\\\n", " ")
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		i := instruction{name: strings.ToUpper(words[0])}
		words = words[1:]
		for len(words) > 0 && strings.HasPrefix(words[0], "--") {
			i.flags, words = append(i.flags, words[0]), words[1:]
		}
		i.rest = strings.Join(words, " ")
		if i.name == "FROM" {
			stages = append(stages, nil)
		}
		if len(stages) > 0 {
			stages[len(stages)-1] = append(stages[len(stages)-1], i)
		}
	}
	return stages
}

// flag returns the value of a flag, empty if it is not there.
func (i instruction) flag(name string) string {
	for _, flag := range i.flags {
		if value, ok := strings.CutPrefix(flag, "--"+name+"="); ok {
			return value
		}
	}
	return ""
}

// pair is key=value or key="value".
var pair = regexp.MustCompile(`([\w.-]+)=(?:"([^"]*)"|(\S*))`)

// pairs reads what stands after LABEL, ENV and ARG; arguments are the values of
// $NAME.
func (i instruction) pairs(arguments map[string]string) map[string]string {
	pairs := map[string]string{}
	for _, match := range pair.FindAllStringSubmatch(i.rest, -1) {
		pairs[match[1]] = os.Expand(match[2]+match[3], func(name string) string { return arguments[name] })
	}
	return pairs
}

// words are those of an instruction that holds a JSON array of texts.
func (i instruction) words() ([]string, error) {
	list, begins := strings.CutPrefix(i.rest, "[")
	list, ends := strings.CutSuffix(list, "]")
	if !begins || !ends {
		return nil, fmt.Errorf("%s %s: not a list, which a container without a shell needs", i.name, i.rest)
	}
	var words []string
	for word := range strings.SplitSeq(list, ",") {
		words = append(words, strings.Trim(strings.TrimSpace(word), `"`))
	}
	return words, nil
}
