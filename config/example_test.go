package config

import (
	"reflect"
	"testing"
)

// The example files are shipped, so they have to be right.

func TestTheExampleConfigSaysEverythingAndRepeatsTheDefaults(t *testing.T) {
	// The only thing that an example can't give away is a secret.
	cfg, err := Load("../config.example.yaml", []string{"ENCRYPTION_PICKLE_KEY=secret"})
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Warnings) != 0 {
		t.Errorf("warnings: %q, want none", cfg.Warnings)
	}

	wanted := defaults()
	wanted.normalize("..")
	wanted.Homeserver = Homeserver{Domain: "example.com", Address: "http://localhost:8008"}
	wanted.Permissions = map[string]string{"@you:example.com": "admin", "example.com": "inviter"}
	wanted.Create.Message = map[string]string{}
	wanted.Encryption.PickleKey = "secret"
	values := map[string]any{}
	eachKey(reflect.ValueOf(wanted), func(key string, value reflect.Value) { values[key] = value.Interface() })
	eachKey(reflect.ValueOf(*cfg), func(key string, value reflect.Value) {
		if _, said := cfg.found.places[key]; !said {
			t.Errorf("%s is not in the example", key)
		}
		if !reflect.DeepEqual(value.Interface(), values[key]) {
			t.Errorf("%s is %v in the example, want %v", key, value, values[key])
		}
	})
}

func TestTheExampleRegistrationFitsTheExampleConfig(t *testing.T) {
	cfg, err := Load("../config.example.yaml", []string{"ENCRYPTION_PICKLE_KEY=secret"})
	if err != nil {
		t.Fatal(err)
	}
	reg, err := LoadRegistration("../registration.yaml.example")
	if err != nil {
		t.Fatal(err)
	}
	if warnings, err := Check(cfg, reg); err != nil || warnings != nil {
		t.Errorf("Check says %q and %v, want nothing", warnings, err)
	}

	// Strictly: nothing else stands in it.
	d := decoder{findings: findings{file: "registration.yaml.example", places: map[string]place{}}}
	d.document(readFile(t, "../registration.yaml.example"), reflect.ValueOf(reg).Elem())
	if err := d.err(); err != nil {
		t.Error(err)
	}
	eachKey(reflect.ValueOf(*reg), func(key string, _ reflect.Value) {
		if _, said := d.places[key]; !said {
			t.Errorf("%s is not in the example", key)
		}
	})
}
