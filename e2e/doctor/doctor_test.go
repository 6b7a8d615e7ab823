//go:build e2e

// Package doctor tests what `doctor` says of a real installation: of a healthy
// one, and of ten typical mistakes, each made for real.
package doctor

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"matrix-registration-bot/e2e/lab"
)

// page shows admins what doctor says of these mistakes; -update writes it anew.
const page = "../../docs/troubleshooting.md"

// site is the installation, opened by TestMain.
var site *lab.Site

func TestMain(m *testing.M) {
	os.Exit(lab.Main(func(ctx context.Context, l *lab.Lab) (err error) {
		site, err = l.NewSite(ctx, lab.SiteOptions{Name: "doctor", Admin: "admin"})
		return err
	}, m.Run))
}

var update = flag.Bool("update", false, "write what doctor says into "+page)

// hospital is the installation in which the mistakes are made.
type hospital struct {
	*testing.T
	*lab.Site
}

func (h *hospital) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// doctor runs doctor with a config file and returns the lines that are not ok.
// They name the addresses of this run; see same.
func (h *hospital) doctor(config string) (complaints string, err error) {
	h.Helper()
	out, err := h.Bot.Command(h.Context(), "-c", config, "doctor")
	bad := false
	for line := range strings.Lines(out) {
		switch {
		case strings.HasPrefix(line, "ok "):
			bad = false
		case strings.HasPrefix(line, "warning "), strings.HasPrefix(line, "problem "):
			bad = true
		}
		if bad || !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "ok ") {
			complaints += line
		}
	}
	return complaints, err
}

// otherConfig is a copy of config.yaml with a mistake in it.
func (h *hospital) otherConfig(replace ...string) string {
	h.Helper()
	return h.copyOf("config.yaml", replace...)
}

func (h *hospital) copyOf(name string, replace ...string) string {
	h.Helper()
	content, err := os.ReadFile(filepath.Join(h.Bot.Dir(), name))
	h.must(err)
	changed := strings.NewReplacer(replace...).Replace(string(content))
	if changed == string(content) {
		h.Fatalf("%s does not hold %q", name, replace)
	}
	other := "other-" + name
	h.must(os.WriteFile(filepath.Join(h.Bot.Dir(), other), []byte(changed), 0o600))
	return other
}

// proxy stands in front of the homeserver and answers some paths itself.
func (h *hospital) proxy(instead func(w http.ResponseWriter, r *http.Request) bool) *httptest.Server {
	h.Helper()
	target, err := url.Parse(h.URL)
	h.must(err)
	pass := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !instead(w, r) {
			pass.ServeHTTP(w, r)
		}
	}))
	h.Cleanup(server.Close)
	return server
}

// restarted runs the homeserver with a changed config, and with the former one
// again afterwards.
func (h *hospital) restarted(old, replacement string) {
	h.Helper()
	h.Synapse.Stop()
	h.must(h.EditConfig(old, replacement))
	h.must(h.Synapse.Start(h.Context()))
	h.Cleanup(func() {
		h.Synapse.Stop()
		if err := h.EditConfig(replacement, old); err != nil {
			h.Error(err)
		}
		if err := h.Synapse.Start(context.Background()); err != nil {
			h.Error(err)
		}
	})
}

// EditConfig is the homeserver's: the bot's config is never edited here.
func (h *hospital) EditConfig(old, replacement string) error {
	return h.Synapse.EditConfig(old, replacement)
}

// mistake is one that an admin can make, and how it is made.
type mistake struct {
	title string
	make  func(h *hospital) (config string)
}

var mistakes = []mistake{
	{"The admin API is closed by a proxy", func(h *hospital) string {
		closed := h.proxy(func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasPrefix(r.URL.Path, "/_synapse/") {
				return false
			}
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, "<html><body>404 Not Found</body></html>")
			return true
		})
		return h.otherConfig(`base_url: ""`, "base_url: "+closed.URL)
	}},
	{"The homeserver has loaded another registration.yaml", func(h *hospital) string {
		content, err := os.ReadFile(h.Bot.Registration)
		h.must(err)
		token := regexp.MustCompile(`as_token: *"?([^"\s]+)`).FindStringSubmatch(string(content))
		registration := h.copyOf("registration.yaml", token[1], "another-token")
		return h.otherConfig("registration: registration.yaml", "registration: "+registration)
	}},
	{"The bot is not a server admin", func(h *hospital) string {
		h.must(h.SetAdmin(h.Context(), h.Bot.UserID, false))
		h.Cleanup(func() {
			if err := h.SetAdmin(context.Background(), h.Bot.UserID, true); err != nil {
				h.Error(err)
			}
		})
		return "config.yaml"
	}},
	{"Registration is off", func(h *hospital) string {
		h.restarted("enable_registration: true", "enable_registration: false")
		return "config.yaml"
	}},
	{"Newcomers need no token", func(h *hospital) string {
		h.restarted("registration_requires_token: true", "enable_registration_without_verification: true")
		return "config.yaml"
	}},
	{"The url in registration.yaml is wrong", func(h *hospital) string {
		h.restarted(h.Bot.Registration, filepath.Join(h.Bot.Dir(), h.copyOf("registration.yaml", "url: "+h.Bot.URL, "url: http://127.0.0.1:1")))
		return h.otherConfig("registration: registration.yaml", "registration: other-registration.yaml")
	}},
	{"Accounts are kept by MAS", func(h *hospital) string {
		mas := h.proxy(func(w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Type", "application/json")
			switch {
			case strings.HasSuffix(r.URL.Path, "/auth_metadata"):
				fmt.Fprint(w, `{"issuer": "https://mas.example.com/", "token_endpoint": "https://mas.example.com/oauth2/token"}`)
			case strings.HasPrefix(r.URL.Path, "/_synapse/admin/v1/registration_tokens"):
				w.WriteHeader(http.StatusNotFound)
				fmt.Fprint(w, `{"errcode": "M_UNRECOGNIZED", "error": "Unrecognized request"}`)
			case strings.HasSuffix(r.URL.Path, "/v3/register"):
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprint(w, `{"errcode": "M_FORBIDDEN", "error": "Registration has been disabled. Only m.login.application_service registrations are allowed."}`)
			default:
				return false
			}
			return true
		})
		return h.otherConfig("address: "+h.URL, "address: "+mas.URL)
	}},
	{"The server name is wrong", func(h *hospital) string {
		registration := h.copyOf("registration.yaml", `lab\.test`, `example\.com`)
		return h.otherConfig("domain: lab.test", "domain: example.com", "registration: registration.yaml", "registration: "+registration)
	}},
	{"The database is down", func(h *hospital) string {
		return h.otherConfig("uri: sqlite:registration-bot.db", "uri: postgres://bot:secret@127.0.0.1:1/bot")
	}},
	{"Everybody can read the config", func(h *hospital) string {
		config := h.otherConfig("displayname: Registration Bot", "displayname: Registration Bot ")
		h.must(os.Chmod(filepath.Join(h.Bot.Dir(), config), 0o644))
		return config
	}},
}

func TestDoctorOnARealInstallation(t *testing.T) {
	if err := site.Bot.Reached(t.Context()); err != nil {
		t.Fatal(err)
	}
	healthy := &hospital{t, site}
	if complaints, err := healthy.doctor("config.yaml"); err != nil || complaints != "" {
		t.Fatalf("doctor of a healthy installation: %v\n%s", err, complaints)
	}
	t.Run("as JSON", func(t *testing.T) { (&hospital{t, site}).findsAllWell() })
	t.Run("when the bot starts", func(t *testing.T) { (&hospital{t, site}).checksItselfAtStart() })
	t.Run("grant-admin", func(t *testing.T) { (&hospital{t, site}).grantsAdmin() })
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	known := string(content)
	for _, m := range mistakes {
		t.Run(m.title, func(t *testing.T) {
			h := &hospital{t, site}
			complaints, err := h.doctor(m.make(h))
			if problems := strings.Contains(complaints, "problem "); (err != nil) != problems || complaints == "" {
				t.Errorf("doctor ended with %v after\n%s", err, complaints)
			}
			section := fmt.Sprintf("### %s\n\n```text\n%s```\n", m.title, h.same(complaints))
			if *update {
				known = replaceSection(known, m.title, section)
			} else if !strings.Contains(known, section) {
				t.Errorf("%s should say (write it with -update):\n%s", page, section)
			}
		})
	}
	if *update {
		if err := os.WriteFile(page, []byte(known), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

var port = regexp.MustCompile(`127\.0\.0\.1:\d{4,5}\b`)

// same makes the words of every run the same: folders and ports differ.
func (h *hospital) same(complaints string) string {
	complaints = strings.ReplaceAll(complaints, strings.TrimPrefix(h.URL, "http://"), "localhost:8008")
	complaints = strings.ReplaceAll(complaints, strings.TrimPrefix(h.Bot.URL, "http://"), "localhost:29350")
	complaints = strings.ReplaceAll(complaints, h.Bot.Dir()+"/", "/etc/matrix-registration-bot/")
	complaints = strings.ReplaceAll(complaints, "other-", "")
	return port.ReplaceAllString(complaints, "localhost:8008")
}

// replaceSection puts a section into the page, in the place of its former text
// up to what follows the block.
func replaceSection(page, title, section string) string {
	heading := "### " + title + "\n\n```text\n"
	before, rest, found := strings.Cut(page, heading)
	if !found {
		return page + "\n" + section
	}
	_, after, _ := strings.Cut(rest, "```\n")
	return before + section + after
}
