package tokens

import (
	"net/url"
	"path"
	"testing"
)

// FuzzEscape: whatever a token is, its request stays below its own path.
func FuzzEscape(f *testing.F) {
	for _, text := range []string{"abc", ".", "..", "new", "a/b?c#d", "../../v2/users", "%2e%2e", "ü", "\x00", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !nameable(text) {
			t.Skip()
		}
		address, err := url.Parse("http://localhost" + synapseTokens + "/" + escape(text))
		if err != nil {
			t.Fatal(err)
		}
		sent := address.RequestURI()
		if path.Dir(path.Clean(sent)) != synapseTokens || sent == synapseTokens+"/new" {
			t.Errorf("%q goes to %s", text, sent)
		}
		if address.Path != synapseTokens+"/"+text {
			t.Errorf("%q arrives as %q", text, address.Path)
		}
	})
}
