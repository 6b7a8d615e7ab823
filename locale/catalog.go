package locale

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// fallback is the language that is always complete: the one the texts are
// written in first, and spoken where another one is not known.
const fallback = "en"

//go:embed *.yaml
var files embed.FS

// Catalog is all languages.
type Catalog struct {
	languages map[string]Language
	meanings  map[string]string // English words by those of the other languages
}

// Language is the texts of one language.
type Language struct {
	name  string
	texts map[string]entry
	words map[string][]string // by the English word that they stand for
}

// wordsKey is where a language file has the words that people may write in it.
const wordsKey = "words"

// entry is a text in its plural forms, as it stands in the file: taken apart, all
// texts would be most of what the bot keeps in memory. one is empty for texts without.
type entry struct {
	one, other string
}

// Args are the values for the placeholders of a text: a Text is put in as it
// is, anything else is printed and escaped. The value of {n} chooses between
// singular and plural.
type Args map[string]any

// Load reads the embedded language files and checks them against each other.
func Load() (*Catalog, error) { return load(files) }

func load(files fs.FS) (*Catalog, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("finding language files: %w", err)
	}
	c := &Catalog{languages: make(map[string]Language), meanings: make(map[string]string)}
	for _, file := range names {
		l, err := read(files, file)
		if err != nil {
			return nil, fmt.Errorf("reading language file %s: %w", file, err)
		}
		c.languages[l.name] = l
	}
	reference, ok := c.languages[fallback]
	if !ok {
		return nil, fmt.Errorf("language file %s.yaml is missing", fallback)
	}
	for _, l := range c.languages {
		if err := l.compare(reference); err != nil {
			return nil, fmt.Errorf("language file %s.yaml differs from %s.yaml: %w", l.name, fallback, err)
		}
		if err := c.learn(l); err != nil {
			return nil, fmt.Errorf("language file %s.yaml: %w", l.name, err)
		}
	}
	return c, nil
}

// learn takes in the words of a language. They are understood from everybody,
// so that none may have two meanings.
func (c *Catalog) learn(l Language) error {
	for english, words := range l.words {
		for _, word := range words {
			if word != strings.ToLower(word) {
				return fmt.Errorf("%s: %s is not in small letters", wordsKey, word)
			}
			if other, taken := c.meanings[word]; taken && other != english {
				return fmt.Errorf("%s: %s means both %s and %s", wordsKey, word, min(english, other), max(english, other))
			}
			c.meanings[word] = english
		}
	}
	return nil
}

func read(files fs.FS, file string) (Language, error) {
	raw, err := fs.ReadFile(files, file)
	if err != nil {
		return Language{}, err
	}
	var nodes map[string]yaml.Node
	if err := yaml.Unmarshal(raw, &nodes); err != nil {
		return Language{}, err
	}
	l := Language{name: strings.TrimSuffix(path.Base(file), ".yaml"), texts: make(map[string]entry, len(nodes))}
	if node, ok := nodes[wordsKey]; ok {
		if l.words, err = readVocabulary(node); err != nil {
			return Language{}, fmt.Errorf("line %d, %s: %w", node.Line, wordsKey, err)
		}
		delete(nodes, wordsKey)
	}
	for key, node := range nodes {
		if l.texts[key], err = readEntry(node); err != nil {
			return Language{}, fmt.Errorf("line %d, %s: %w", node.Line, key, err)
		}
	}
	return l, nil
}

// readVocabulary takes a mapping from English words to those of the language,
// several with spaces between them.
func readVocabulary(node yaml.Node) (map[string][]string, error) {
	var lines map[string]string
	if err := node.Decode(&lines); err != nil {
		return nil, err
	}
	words := make(map[string][]string, len(lines))
	for english, line := range lines {
		words[english] = strings.Fields(line)
	}
	return words, nil
}

// readEntry takes a text, or a mapping of its plural forms.
func readEntry(node yaml.Node) (e entry, err error) {
	if node.Kind == yaml.ScalarNode {
		e.other = node.Value
		_, err = parse(e.other)
		return e, err
	}
	var forms map[string]string
	if err := node.Decode(&forms); err != nil {
		return entry{}, err
	}
	if keys := slices.Sorted(maps.Keys(forms)); !slices.Equal(keys, []string{"one", "other"}) {
		return entry{}, fmt.Errorf("plural forms are one and other, not %s", strings.Join(keys, ", "))
	}
	e = entry{one: forms["one"], other: forms["other"]}
	_, one := parse(e.one)
	_, other := parse(e.other)
	return e, errors.Join(one, other)
}

// compare finds keys that only one of the languages has, and texts that want
// other values.
func (l Language) compare(reference Language) error {
	var differences []error
	for _, key := range slices.Sorted(maps.Keys(reference.texts)) {
		text, ok := l.texts[key]
		if !ok {
			differences = append(differences, fmt.Errorf("%s is missing", key))
			continue
		}
		want, got := reference.texts[key].placeholders(), text.placeholders()
		if !slices.Equal(want, got) {
			differences = append(differences, fmt.Errorf("%s has the placeholders %v instead of %v", key, got, want))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(l.texts)) {
		if _, ok := reference.texts[key]; !ok {
			differences = append(differences, fmt.Errorf("%s is surplus", key))
		}
	}
	return errors.Join(differences...)
}

// placeholders are those of both forms: a singular may do without its number.
func (e entry) placeholders() []string {
	names := slices.Concat(mustParse(e.one).placeholders(), mustParse(e.other).placeholders())
	slices.Sort(names)
	return slices.Compact(names)
}

// Names lists the languages, sorted.
func (c *Catalog) Names() []string { return slices.Sorted(maps.Keys(c.languages)) }

// Language returns a language by its name ("en"), or English if there is none
// of that name.
func (c *Catalog) Language(name string) Language {
	if l, ok := c.languages[name]; ok {
		return l
	}
	return c.languages[fallback]
}

// Meaning returns the English word that a word stands for in some language, in
// small letters; a word that is in no language's list stands for itself.
func (c *Catalog) Meaning(word string) string {
	word = strings.ToLower(word)
	if english, ok := c.meanings[word]; ok {
		return english
	}
	return word
}

// Words returns what people may write for an English word in any language,
// sorted.
func (c *Catalog) Words(english string) []string {
	var words []string
	for word, meaning := range c.meanings {
		if meaning == english {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return words
}

// Words returns what people may write for an English word in this language.
func (l Language) Words(english string) []string { return l.words[english] }

// Name is the language's tag ("en").
func (l Language) Name() string { return l.name }

// Text renders a text. A key that does not exist yields the key itself.
func (l Language) Text(key string, args Args) Text {
	e, ok := l.texts[key]
	if !ok {
		return Text{Plain: key}
	}
	if e.one != "" && args["n"] == 1 {
		return mustParse(e.one).render(args)
	}
	return mustParse(e.other).render(args)
}

// mustParse is parse for a text that was taken apart before.
func mustParse(source string) template {
	t, err := parse(source)
	if err != nil {
		panic(err)
	}
	return t
}
