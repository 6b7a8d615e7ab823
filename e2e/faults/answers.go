package faults

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Fault is something that is answered in the homeserver's place.
type Fault struct {
	Name string
	// Arrives says that the homeserver gets the request and does as asked: only
	// its answer is lost.
	Arrives bool
	holds   bool
	answer  func(w http.ResponseWriter, r *http.Request, stop <-chan struct{})
}

// All are the faults that end by themselves, each as often as it makes a
// difference whether the request arrives.
func All() []Fault {
	all := []Fault{
		{Name: "429", answer: say(http.StatusTooManyRequests, "application/json", `{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests"}`)},
		{Name: "429 with a time", answer: say(http.StatusTooManyRequests, "application/json",
			`{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":300}`)},
	}
	for _, fault := range []Fault{
		{Name: "500", answer: say(http.StatusInternalServerError, "application/json", `{"errcode":"M_UNKNOWN","error":"Internal server error"}`)},
		{Name: "502 with a page", answer: say(http.StatusBadGateway, "text/html", "<html><h1>502 Bad Gateway</h1></html>")},
		{Name: "no JSON", answer: say(http.StatusOK, "application/json", "It works!")},
		{Name: "null", answer: say(http.StatusOK, "application/json", "null")},
		{Name: "another type", answer: say(http.StatusOK, "application/json", `["event_id"]`)},
		{Name: "cut in the middle", answer: cut},
		{Name: "hung up", answer: hangUp},
	} {
		all = append(all, fault, fault.arriving())
	}
	return all
}

// Says is an answer of JSON.
func Says(status int, body string) Fault {
	return Fault{Name: http.StatusText(status), answer: say(status, "application/json", body)}
}

// Misrouted is a proxy that knows nothing of the homeserver: all is lost there.
func Misrouted() Fault {
	return Fault{Name: "404 with a page", answer: say(http.StatusNotFound, "text/html", "<html><h1>404 Not Found</h1></html>")}
}

// Silence is no answer until the fault is healed; then the connection breaks.
func Silence() Fault {
	return Fault{Name: "silence", answer: func(w http.ResponseWriter, r *http.Request, stop <-chan struct{}) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
		hangUp(w, r, stop)
	}}
}

// Delay holds a request back until the fault is healed.
func Delay() Fault { return Fault{Name: "delay", holds: true} }

func (f Fault) arriving() Fault {
	f.Name += " to what arrived"
	f.Arrives = true
	return f
}

func say(status int, kind, body string) func(http.ResponseWriter, *http.Request, <-chan struct{}) {
	return func(w http.ResponseWriter, _ *http.Request, _ <-chan struct{}) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func cut(w http.ResponseWriter, _ *http.Request, _ <-chan struct{}) {
	const half = `{"event_id":"$`
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(2*len(half)))
	_, _ = io.WriteString(w, half)
	panic(http.ErrAbortHandler)
}

func hangUp(http.ResponseWriter, *http.Request, <-chan struct{}) { panic(http.ErrAbortHandler) }

// Which tells which requests a fault is for. body is what the request holds.
type Which func(r *http.Request, body string) bool

// To are requests of a method whose path holds all of these texts.
func To(method string, path ...string) Which {
	return func(r *http.Request, _ string) bool {
		return r.Method == method && !slices.ContainsFunc(path, func(part string) bool { return !strings.Contains(r.URL.Path, part) })
	}
}

// With narrows it down to requests whose body holds a text.
func (w Which) With(text string) Which {
	return func(r *http.Request, body string) bool { return w(r, body) && strings.Contains(body, text) }
}

// Spoilt is a fault that stands in the way of some requests.
type Spoilt struct {
	which Which
	fault Fault
	left  int
	met   int
	now   int // requests that it holds up
	most  int // the largest now
	stop  chan struct{}
	once  sync.Once
	proxy *Proxy
}

// Spoil puts a fault in the way of the next n requests of a kind, 0 for all until
// it is healed. Of several for the same request the oldest counts.
func (p *Proxy) Spoil(n int, which Which, fault Fault) *Spoilt {
	s := &Spoilt{which: which, fault: fault, left: n, stop: make(chan struct{}), proxy: p}
	if n == 0 {
		s.left = -1
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoilt = append(p.spoilt, s)
	return s
}

// Met is how many requests the fault has met.
func (s *Spoilt) Met() int {
	s.proxy.mu.Lock()
	defer s.proxy.mu.Unlock()
	return s.met
}

// AtOnce is how many requests the fault held up at the same time, at most.
func (s *Spoilt) AtOnce() int {
	s.proxy.mu.Lock()
	defer s.proxy.mu.Unlock()
	return s.most
}

// Heal takes the fault away.
func (s *Spoilt) Heal() {
	s.proxy.mu.Lock()
	defer s.proxy.mu.Unlock()
	s.left = 0
	s.once.Do(func() { close(s.stop) })
}

// HealAnswers takes all faults of Spoil away.
func (p *Proxy) HealAnswers() {
	p.mu.Lock()
	all := p.spoilt
	p.spoilt = nil
	p.mu.Unlock()
	for _, s := range all {
		s.Heal()
	}
}

func (p *Proxy) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s := p.meets(r, string(body))
	if s == nil {
		p.through.ServeHTTP(w, r)
		return
	}
	defer p.leaves(s)
	switch {
	case s.fault.holds:
		select {
		case <-s.stop:
		case <-r.Context().Done():
		}
		p.through.ServeHTTP(w, r)
		return
	case s.fault.Arrives:
		p.through.ServeHTTP(httptest.NewRecorder(), r)
	}
	s.fault.answer(w, r, s.stop)
}

func (p *Proxy) leaves(s *Spoilt) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.now--
}

func (p *Proxy) meets(r *http.Request, body string) *Spoilt {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.spoilt {
		if s.left != 0 && s.which(r, body) {
			s.left--
			s.met++
			s.now++
			s.most = max(s.most, s.now)
			return s
		}
	}
	return nil
}
