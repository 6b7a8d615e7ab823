package locale

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is what the packages that speak to people say about texts.
type source struct {
	literals map[string]string // every string in the code, and where it stands
	calls    []call
}

// call is a text asked for with its values spelt out.
type call struct {
	key, place string
	args       []string
}

// standing are the values that package commands gives to every text.
var standing = []string{"bot", "prefix"}

func TestTheCodeAndTheTextsFit(t *testing.T) {
	texts := english(t).texts
	code := readSource(t, "../commands", "../chat", "../news")

	sections := make(map[string]bool)
	for key := range texts {
		section, _, _ := strings.Cut(key, ".")
		sections[section] = true
	}
	looksLikeKey := regexp.MustCompile(`^([a-z][a-z-]*)\.[a-z_]*[a-z]$`)
	for _, literal := range slices.Sorted(maps.Keys(code.literals)) {
		m := looksLikeKey.FindStringSubmatch(literal)
		if _, ok := texts[literal]; m != nil && sections[m[1]] && !ok {
			t.Errorf("%s: there is no text %q", code.literals[literal], literal)
		}
	}
	for _, c := range code.calls {
		text, ok := texts[c.key]
		if !ok {
			t.Errorf("%s: there is no text %q", c.place, c.key)
			continue
		}
		wanted := text.placeholders()
		for _, name := range wanted {
			if !slices.Contains(c.args, name) && !slices.Contains(standing, name) {
				t.Errorf("%s: %s wants a value for {%s}", c.place, c.key, name)
			}
		}
		for _, name := range c.args {
			if !slices.Contains(wanted, name) && (name != "n" || text.one == "") {
				t.Errorf("%s: %s has no place for {%s}", c.place, c.key, name)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if !code.uses(key) {
			t.Errorf("the text %s is not used", key)
		}
	}
}

// uses tells whether the code has the key, or both of its halves to put
// together.
func (s source) uses(key string) bool {
	if _, ok := s.literals[key]; ok || strings.HasPrefix(key, "time.") {
		return true
	}
	for literal := range s.literals {
		section := strings.HasSuffix(literal, ".") || strings.HasSuffix(literal, "_")
		if section && strings.Contains(literal, ".") && strings.HasPrefix(key, literal) || strings.HasPrefix(literal, ".") && strings.HasSuffix(key, literal) {
			return true
		}
	}
	return false
}

func readSource(t *testing.T, folders ...string) source {
	t.Helper()
	s := source{literals: make(map[string]string)}
	files := token.NewFileSet()
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(node ast.Node) bool {
				s.note(files, node)
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *source) note(files *token.FileSet, node ast.Node) {
	switch node := node.(type) {
	case *ast.BasicLit:
		if text, ok := literal(node); ok {
			s.literals[text] = files.Position(node.Pos()).String()
		}
	case *ast.CallExpr:
		if len(node.Args) != 2 || !slices.Contains([]string{"text", "Text", "mistake", "refuse"}, called(node)) {
			return
		}
		key, isKey := literal(node.Args[0])
		args, areSpelt := spelt(node.Args[1])
		if isKey && areSpelt {
			s.calls = append(s.calls, call{key, files.Position(node.Pos()).String(), args})
		}
	}
}

func called(call *ast.CallExpr) string {
	if method, ok := call.Fun.(*ast.SelectorExpr); ok {
		return method.Sel.Name
	}
	return ""
}

// spelt returns the names of the values if they stand in the call.
func spelt(args ast.Expr) (names []string, ok bool) {
	switch args := args.(type) {
	case *ast.Ident:
		return nil, args.Name == "nil"
	case *ast.CompositeLit:
		for _, element := range args.Elts {
			if pair, isPair := element.(*ast.KeyValueExpr); isPair {
				name, _ := literal(pair.Key)
				names = append(names, name)
			}
		}
		return names, true
	}
	return nil, false
}

func literal(node ast.Expr) (text string, ok bool) {
	basic, isBasic := node.(*ast.BasicLit)
	if !isBasic || basic.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(basic.Value)
	return text, err == nil
}
