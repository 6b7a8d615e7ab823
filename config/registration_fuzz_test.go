package config

import (
	"errors"
	"testing"
)

// FuzzRegistration: whatever stands in the file there is either a registration
// or an error with places, and Check bears what it gets.
func FuzzRegistration(f *testing.F) {
	f.Add(fineRegistration)
	f.Add("namespaces: {users: [{exclusive: true, regex: '('}]}")
	f.Add("id: &a [*a]")
	f.Add("<<: {id: x}")
	f.Add("url: 'http://[::1'\nid: 1")
	f.Add("\xff\xfe")
	cfg, err := Parse("config.yaml", []byte(fine), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, file string) {
		reg, err := ParseRegistration("registration.yaml", []byte(file))
		var wrong *Error
		switch {
		case err == nil && reg != nil:
			if _, err := Check(cfg, reg); err != nil && !errors.As(err, &wrong) {
				t.Errorf("checking it: %v, want an *Error", err)
			}
		case !errors.As(err, &wrong) || reg != nil || len(wrong.Problems) == 0:
			t.Fatalf("got %v and %v, want a registration or an *Error", reg, err)
		}
	})
}
