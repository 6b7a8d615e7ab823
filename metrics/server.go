package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// lookTime is how long the snapshot for a scrape may take; Prometheus waits 10 s.
const lookTime = 5 * time.Second

// Server serves the metrics on /metrics. Call Listen, then Serve.
type Server struct {
	address  string
	metrics  *Metrics
	look     func(ctx context.Context) Snapshot
	turn     chan struct{} // full while look is called: it asks the database
	http     *http.Server
	listener net.Listener
}

// NewServer makes a server that does not listen yet. The address is HOST:PORT;
// port 0 takes a free one, see Addr. Without an address there is nothing to
// serve, and Serve only waits.
func NewServer(address string, m *Metrics, look func(ctx context.Context) Snapshot) *Server {
	s := &Server{address: address, metrics: m, look: look, turn: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", s.scrape)
	s.http = &http.Server{
		Handler:      mux,
		ReadTimeout:  10 * time.Second,
		WriteTimeout: 30 * time.Second,
		IdleTimeout:  2 * time.Minute,
	}
	return s
}

// Listen takes the port, so that a busy one is known before anything else
// starts.
func (s *Server) Listen() (err error) {
	if s.address == "" {
		return nil
	}
	if s.listener, err = net.Listen("tcp", s.address); err != nil {
		return fmt.Errorf("listening on %q (metrics.listen): %w", s.address, err)
	}
	return nil
}

// Addr is the address that the server listens on, HOST:PORT; empty without one.
// Only valid after Listen.
func (s *Server) Addr() string {
	if s.listener == nil {
		return ""
	}
	return s.listener.Addr().String()
}

// Serve answers until ctx ends; then it cuts what is open. Only valid after
// Listen.
func (s *Server) Serve(ctx context.Context) error {
	if s.listener == nil {
		<-ctx.Done()
		return nil
	}
	stop := context.AfterFunc(ctx, func() { _ = s.http.Close() })
	defer stop()
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the metrics: %w", err)
	}
	return nil
}

func (s *Server) scrape(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), lookTime)
	defer cancel()
	snapshot, ok := s.lookInTurn(ctx)
	if !ok {
		http.Error(w, "others have been asking all the time", http.StatusServiceUnavailable)
		return
	}
	var p page
	s.metrics.write(&p, snapshot)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = io.WriteString(w, p.text.String()) // who hangs up gets nothing
}

// lookInTurn waits until nobody else looks. ok is false if that took too long.
func (s *Server) lookInTurn(ctx context.Context) (snapshot Snapshot, ok bool) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
		return s.look(ctx), true
	case <-ctx.Done():
		return Snapshot{}, false
	}
}
