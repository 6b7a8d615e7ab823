// Package faults stands between the bot and its homeserver and spoils what goes
// over: the network by toxiproxy, the answers by a reverse proxy behind it.
package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Proxy is a way to the homeserver that can be spoilt. It may be used by several
// goroutines.
type Proxy struct {
	URL string // in the place of the homeserver's

	wire    *toxiproxy.Proxy
	answers *httptest.Server
	through *httputil.ReverseProxy

	mu     sync.Mutex
	spoilt []*Spoilt
}

// Open makes a proxy in front of the homeserver with this URL. Nothing is spoilt
// yet.
func Open(upstream string) (*Proxy, error) {
	target, err := url.Parse(upstream)
	if err != nil {
		return nil, fmt.Errorf("opening a faulty proxy: %w", err)
	}
	p := &Proxy{through: httputil.NewSingleHostReverseProxy(target)}
	// Callers that hang up are everyday life here.
	p.through.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	p.answers = httptest.NewServer(http.HandlerFunc(p.serve))
	control := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p.wire = toxiproxy.NewProxy(control, "homeserver", "127.0.0.1:0", p.answers.Listener.Addr().String())
	if err := p.wire.Start(); err != nil {
		p.answers.Close()
		return nil, fmt.Errorf("opening a faulty proxy: %w", err)
	}
	p.URL = "http://" + p.wire.Listen
	return p, nil
}

// Close ends the proxy and all connections through it.
func (p *Proxy) Close() {
	p.HealAnswers()
	p.wire.Stop()
	p.answers.CloseClientConnections()
	p.answers.Close()
}

// Cut ends all connections and takes no new ones until Mend.
func (p *Proxy) Cut() { p.wire.Stop() }

// Mend ends what Cut began.
func (p *Proxy) Mend() error {
	if err := p.wire.Start(); err != nil {
		return fmt.Errorf("mending the network: %w", err)
	}
	return nil
}

// Direction is a way through the proxy.
type Direction string

// The two ways, in the words of toxiproxy.
const (
	Requests Direction = "upstream"
	Answers  Direction = "downstream"
)

// Poison puts a toxic on the network until HealNetwork. Its kinds and attributes
// are toxiproxy's: https://github.com/Shopify/toxiproxy#toxics.
func (p *Proxy) Poison(way Direction, kind string, attributes map[string]int) error {
	toxic, err := json.Marshal(map[string]any{"type": kind, "stream": way, "attributes": attributes})
	if err == nil {
		_, err = p.wire.Toxics.AddToxicJson(bytes.NewReader(toxic))
	}
	if err != nil {
		return fmt.Errorf("poisoning the network: %w", err)
	}
	return nil
}

// HealNetwork removes all toxics.
func (p *Proxy) HealNetwork(ctx context.Context) { p.wire.Toxics.ResetToxics(ctx) }
