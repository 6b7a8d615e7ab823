package metrics

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"
)

// counter is a number that only grows, one for each combination of labels.
type counter struct {
	name, help string

	mu     sync.Mutex
	counts map[string]uint64 // by labels
}

// newCounter makes a counter that begins with a 0 for each of these labels.
func newCounter(name, help string, known ...string) *counter {
	c := &counter{name: name, help: help, counts: make(map[string]uint64)}
	for _, labels := range known {
		c.counts[labels] = 0
	}
	return c
}

func (c *counter) add(labels string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[labels]++
}

func (c *counter) write(p *page) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.family(c.name, total, c.help)
	for _, labels := range slices.Sorted(maps.Keys(c.counts)) {
		p.sample("", labels, float64(c.counts[labels]))
	}
}

// bounds are the upper ends of all histograms' buckets, in seconds.
var bounds = [...]float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}

// histogram counts how long something takes, for each combination of labels.
type histogram struct {
	name, help string

	mu    sync.Mutex
	times map[string]*spread // by labels
}

// spread is how often which time was seen.
type spread struct {
	within [len(bounds)]uint64 // at most so long, and longer than the bound before
	count  uint64
	sum    float64 // seconds
}

func newHistogram(name, help string) *histogram {
	return &histogram{name: name, help: help, times: make(map[string]*spread)}
}

func (h *histogram) observe(labels string, took time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.times[labels]
	if s == nil {
		s = &spread{}
		h.times[labels] = s
	}
	s.count++
	s.sum += took.Seconds()
	for i, bound := range bounds {
		if took.Seconds() <= bound {
			s.within[i]++
			break
		}
	}
}

func (h *histogram) write(p *page) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p.family(h.name, times, h.help)
	for _, own := range slices.Sorted(maps.Keys(h.times)) {
		s, upTo := h.times[own], uint64(0)
		for i, bound := range bounds {
			upTo += s.within[i]
			p.sample("_bucket", join(own, labels("le", strconv.FormatFloat(bound, 'g', -1, 64))), float64(upTo))
		}
		p.sample("_bucket", join(own, labels("le", "+Inf")), float64(s.count))
		p.sample("_sum", own, s.sum)
		p.sample("_count", own, float64(s.count))
	}
}

func join(labels, more string) string {
	if labels == "" {
		return more
	}
	return labels + "," + more
}
