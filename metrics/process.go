package metrics

import (
	"math"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

func goVersion() string { return runtime.Version() }

// process writes what Prometheus' own libraries tell of a program, under their
// names.
func (p *page) process(started time.Time) {
	p.foreign("process_start_time_seconds", gauge, "When the program started.")
	p.sample("", "", seconds(started))
	if cpu, resident, ok := usage(); ok {
		p.foreign("process_cpu_seconds_total", total, "Processor time of the program.")
		p.sample("", "", cpu)
		p.foreign("process_resident_memory_bytes", gauge, "Memory that the program occupies.")
		p.sample("", "", resident)
	}
	samples := []metrics.Sample{
		{Name: "/sched/goroutines:goroutines"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/gc/gomemlimit:bytes"},
	}
	metrics.Read(samples)
	p.foreign("go_goroutines", gauge, "Goroutines that exist.")
	p.sample("", "", number(samples[0]))
	p.foreign("go_memstats_heap_alloc_bytes", gauge, "Memory of Go values, garbage included.")
	p.sample("", "", number(samples[1]))
	p.foreign("go_gc_gomemlimit_bytes", gauge, "GOMEMLIMIT; more than 9e18: none is set.")
	p.sample("", "", number(samples[2]))
}

func number(s metrics.Sample) float64 {
	if s.Value.Kind() != metrics.KindUint64 {
		return math.NaN() // this Go does not know it
	}
	return float64(s.Value.Uint64())
}

// usage reads processor time in seconds and memory in bytes where the system has
// /proc (proc_pid_stat(5)).
func usage() (cpu, resident float64, ok bool) {
	const (
		ticks                     = 100 // in a second, on every Linux
		userTime, systemTime, rss = 11, 12, 21
	)
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, 0, false
	}
	afterName := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
	var values []float64
	for _, field := range strings.Fields(afterName) {
		value, _ := strconv.ParseFloat(field, 64) // the first is a letter
		values = append(values, value)
	}
	if len(values) <= rss {
		return 0, 0, false
	}
	return (values[userTime] + values[systemTime]) / ticks, values[rss] * float64(os.Getpagesize()), true
}
