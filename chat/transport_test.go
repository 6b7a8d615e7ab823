package chat

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// answering answers every request with the same.
type answering struct {
	status int
	body   string
}

func (a answering) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func TestOnlyAnswersThatCanBeReadGetThrough(t *testing.T) {
	for _, a := range []answering{
		{200, "null"},
		{200, "\r\n\t null"},
		{200, `"text"`},
		{200, "<html>"},
		{200, "true"},
		{200, ""},
	} {
		if _, err := (readable{a}).RoundTrip(nil); err == nil {
			t.Errorf("%q got through", a.body)
		}
	}
	for _, a := range []answering{
		{200, `{"a":1}`},
		{200, "\n [1]"},
		{502, "<html>"},
		{404, "null"},
	} {
		response, err := readable{a}.RoundTrip(nil)
		if err != nil {
			t.Errorf("%d %q: %v", a.status, a.body, err)
			continue
		}
		body, err := io.ReadAll(response.Body)
		if err != nil || strings.TrimSpace(string(body)) != strings.TrimSpace(a.body) {
			t.Errorf("%q arrived as %q, %v", a.body, body, err)
		}
	}
}

func TestAPanicBecomesAnError(t *testing.T) {
	err := safely(func() error {
		var nobody *http.Response
		return errors.New(nobody.Status)
	})
	if !errors.Is(err, errPanic) || !strings.Contains(err.Error(), "TestAPanicBecomesAnError") {
		t.Errorf("%v, want a panic with its stack", err)
	}
	if err := safely(func() error { return io.EOF }); err != io.EOF {
		t.Errorf("%v, want what was returned", err)
	}
}
