package tokenstest

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

//go:embed testdata/mas-admin-api.json
var masDocument []byte

// masAPI is MAS's own description of its admin API.
var masAPI = sync.OnceValues(func() (routers.Router, error) {
	document, err := openapi3.NewLoader().LoadFromData(masDocument)
	if err != nil {
		return nil, fmt.Errorf("reading the OpenAPI document: %w", err)
	}
	document.Servers = nil // the paths stand for themselves
	return gorillamux.NewRouter(document)
})

// check fails the test if the document does not allow the request. The function
// that it returns does the same for the answer. Of errors the document names
// only a few; the others must look alike if they are JSON.
func check(t testing.TB, r *http.Request, path string, odd bool) (answered func(*httptest.ResponseRecorder)) {
	unchecked := func(*httptest.ResponseRecorder) {}
	api, err := masAPI()
	if err != nil {
		t.Error(err)
		return unchecked
	}
	body, _ := io.ReadAll(r.Body) // from memory
	defer func() { r.Body = io.NopCloser(bytes.NewReader(body)) }()
	asked := r.Clone(context.Background())
	asked.Body = io.NopCloser(bytes.NewReader(body))
	asked.URL = &url.URL{Scheme: "http", Host: "mas.test", Path: path, RawQuery: r.URL.RawQuery}

	said := fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), body)
	found, parameters, err := api.FindRoute(asked)
	if err != nil {
		if !odd {
			t.Errorf("%s: not in the document: %v", said, err)
		}
		return unchecked
	}
	input := &openapi3filter.RequestValidationInput{
		Request: asked, PathParams: parameters, Route: found,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, MultiError: true},
	}
	if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil && !odd {
		t.Errorf("%s: against the document: %v", said, err)
	}
	return func(answer *httptest.ResponseRecorder) {
		err := openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: input, Status: answer.Code, Header: answer.Header(),
			Body: io.NopCloser(bytes.NewReader(answer.Body.Bytes())), Options: input.Options,
		})
		if err == nil && answer.Code >= 400 && answer.Header().Get("Content-Type") == "application/json" {
			err = checkError(found.Spec, answer.Body.Bytes())
		}
		if err != nil {
			t.Errorf("answer %d %s to %s: against the document: %v", answer.Code, answer.Body, said, err)
		}
	}
}

func checkError(document *openapi3.T, body []byte) error {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	return document.Components.Schemas["ErrorResponse"].Value.VisitJSON(value, openapi3.EnableJSONSchema2020())
}
