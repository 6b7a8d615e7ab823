package metrics

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// prefix begins the names of the bot's own series.
const prefix = "registration_bot_"

// What a family of series is.
const (
	gauge = "gauge"
	total = "counter" // only grows
	times = "histogram"
)

// page is what a scrape gets, in Prometheus' text format 0.0.4.
type page struct {
	text strings.Builder
	name string // of the family that is being written
}

// family begins a family of series; its samples follow.
func (p *page) family(name, kind, help string) { p.foreign(prefix+name, kind, help) }

// foreign begins a family whose name others have chosen.
func (p *page) foreign(name, kind, help string) {
	p.name = name
	p.text.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
}

// sample writes one value of the family; suffix is that of its name in a
// histogram.
func (p *page) sample(suffix, labels string, value float64) {
	p.text.WriteString(p.name + suffix)
	if labels != "" {
		p.text.WriteString("{" + labels + "}")
	}
	p.text.WriteString(" " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
}

// labels writes names and values in turn as a sample's labels.
func labels(pairs ...string) string {
	var text []string
	for pair := range slices.Chunk(pairs, 2) {
		text = append(text, pair[0]+`="`+strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(pair[1])+`"`)
	}
	return strings.Join(text, ",")
}

// writeSamples writes a value for each value of one label, in order.
func writeSamples[T any](p *page, label string, values map[string]T, number func(T) float64) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		p.sample("", labels(label, name), number(values[name]))
	}
}
