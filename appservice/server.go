package appservice

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	stdlog "log"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// Config is what a Server needs. Wants and OnPing may be nil, nothing else.
type Config struct {
	Listen    string // HOST:PORT; port 0 takes a free one, see Server.Addr
	HSToken   string // hs_token of the registration: how the homeserver proves itself
	BotUserID string // full user id, the only user that the homeserver may ask for
	Inbox     Inbox

	// Wants says which events the program handles, by their type; others are
	// dropped unstored. It is asked before the rest of the event is checked,
	// so fields other than Type may be empty or odd. nil = all.
	Wants func(Event) bool
	// Ready says how the program is, for /ready. Anybody who reaches the port
	// can make it run, so it should answer from what is known already.
	Ready func(ctx context.Context) Readiness
	// OnPing is told the transaction id of each ping that came through the
	// homeserver ("" if it has none). It must not block.
	OnPing func(transactionID string)

	Log zerolog.Logger
}

// limits bound what one request may cost. A homeserver gives up on a
// transaction after 60 s (Synapse), so read and accept together stay below.
type limits struct {
	body   int64         // bytes of a transaction that are read; the rest is left out
	header time.Duration // from the first byte of a request to the end of its header
	read   time.Duration // from the first byte of a request to the end of its body
	accept time.Duration // for Inbox.Accept: how long a transaction waits for the database
	write  time.Duration // from the end of the header to the end of the answer
	idle   time.Duration // between two requests on one connection
	ready  time.Duration // for Config.Ready
	stop   time.Duration // for open requests when the context of Serve ends
}

func defaultLimits() limits {
	return limits{
		body:   128 << 20,
		header: 10 * time.Second,
		read:   35 * time.Second,
		accept: 20 * time.Second,
		write:  60 * time.Second,
		idle:   2 * time.Minute,
		ready:  5 * time.Second,
		stop:   8 * time.Second, // Docker kills after 10 s
	}
}

// maxHeaderBytes is far more than a homeserver sends.
const maxHeaderBytes = 64 << 10

// Server listens for the homeserver. Call Listen, then Serve.
type Server struct {
	cfg      Config
	limits   limits
	token    [sha256.Size]byte // hashed, so that comparing takes the same time for any length
	refusals zerolog.Logger    // thinned out: anybody can cause these lines
	http     *http.Server
	listener net.Listener
}

// New makes a server that does not listen yet.
func New(cfg Config) *Server {
	return newServer(cfg, defaultLimits())
}

func newServer(cfg Config, lim limits) *Server {
	s := &Server{
		cfg:      cfg,
		limits:   lim,
		token:    sha256.Sum256([]byte(cfg.HSToken)),
		refusals: cfg.Log.Sample(&zerolog.BurstSampler{Burst: 5, Period: time.Minute}),
	}
	s.http = &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: lim.header,
		ReadTimeout:       lim.read,
		WriteTimeout:      lim.write,
		IdleTimeout:       lim.idle,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          stdlog.New(warnings{cfg.Log}, "", 0),
	}
	return s
}

// Listen takes the port, so that a busy one is known before anything else
// starts. Connections wait until Serve is called.
func (s *Server) Listen() error {
	listener, err := net.Listen("tcp", s.cfg.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listening on %s: another program (or another copy of this one) uses this port already; stop it or choose another in appservice.listen: %w", s.cfg.Listen, err)
	}
	if err != nil {
		return fmt.Errorf("listening on %q (appservice.listen): %w", s.cfg.Listen, err)
	}
	s.listener = listener
	return nil
}

// Addr is the address that the server listens on, HOST:PORT. Only valid after
// Listen.
func (s *Server) Addr() string {
	return s.listener.Addr().String()
}

// Serve answers requests. It returns nil as soon as Close is called (which
// then waits for the open requests); when ctx ends it closes the server
// itself, with 8 s for the open requests. Only valid after Listen.
func (s *Server) Serve(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.listener) }()
	select {
	case err := <-served:
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("serving on %s: %w", s.Addr(), err)
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.stop)
		defer cancel()
		return s.Close(grace)
	}
}

// Close gives up the port at once and lets open requests finish until ctx
// ends; then it cuts their connections and returns the error of ctx. A
// transaction that is cut so may or may not be committed: the homeserver sends
// it again, and events seen before are skipped. Close may be called before
// Serve and more than once.
func (s *Server) Close(ctx context.Context) error {
	if s.listener != nil {
		defer s.listener.Close() // Shutdown only knows it once it is being served
	}
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // cuts what is left, and nothing in it can be helped
		return fmt.Errorf("waiting for open requests: %w", err)
	}
	return nil
}

// warnings writes what net/http complains about to our log.
type warnings struct{ log zerolog.Logger }

func (w warnings) Write(line []byte) (int, error) {
	w.log.Warn().Str("problem", string(line)).Msg("The listener had trouble with a connection")
	return len(line), nil
}
