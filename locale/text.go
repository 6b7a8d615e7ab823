// Package locale holds every text that a person can read, one file for each
// language.
package locale

// Text is a message in the two forms that Matrix wants: plain text that stands
// alone, and HTML (empty = none). Values that people wrote are escaped in the
// HTML.
type Text struct {
	Plain string
	HTML  string
}
