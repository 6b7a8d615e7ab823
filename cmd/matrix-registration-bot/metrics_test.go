//go:build goolm

package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"matrix-registration-bot/appservice"
	"matrix-registration-bot/metrics"
)

func TestTheBotGoesOnWhenItsMetricsCanNotBeServed(t *testing.T) {
	var said strings.Builder
	a := &app{log: zerolog.New(&said)}
	a.serveMetrics(t.Context(), func(context.Context) error { return errors.New("too many open files") })
	if !strings.Contains(said.String(), "too many open files") {
		t.Errorf("the log is %q", said.String())
	}
}

func TestACountedClientFollowsNoRedirects(t *testing.T) {
	client := counted(metrics.New("test"), "homeserver", newHTTPClient())
	if client.CheckRedirect == nil || !errors.Is(client.CheckRedirect(nil, nil), http.ErrUseLastResponse) {
		t.Error("a redirect is followed")
	}
}

func TestABusyPortOfTheMetricsLeavesTheOtherOneFree(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	server := appservice.New(appservice.Config{Listen: "127.0.0.1:0", Log: zerolog.New(io.Discard)})
	if err := listen(t.Context(), server, metrics.NewServer(busy.Addr().String(), nil, nil)); err == nil {
		t.Fatal("the bot starts without its metrics")
	}
	again, err := net.Listen("tcp", server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}
