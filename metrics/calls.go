package metrics

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Calls counts the requests of a client of the named API on their way.
func (m *Metrics) Calls(api string, next http.RoundTripper) http.RoundTripper {
	return calls{m, api, next}
}

type calls struct {
	*Metrics
	api  string
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (c calls) RoundTrip(request *http.Request) (*http.Response, error) {
	began := time.Now()
	response, err := c.next.RoundTrip(request)
	if errors.Is(err, context.Canceled) { // we did not wait for the answer
		return response, err
	}
	status := "none"
	if err == nil {
		status = strconv.Itoa(response.StatusCode)
	}
	c.calls.add(labels("api", c.api, "status", status))
	if !strings.HasSuffix(request.URL.Path, "/sync") {
		c.calling.observe(labels("api", c.api), time.Since(began))
	}
	return response, err
}
