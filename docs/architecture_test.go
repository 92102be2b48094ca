package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root is the root of the repository.
const root = "../"

// The guide for newcomers and its table of folders name code, which must exist.
func TestArchitectureNamesExistInTheCode(t *testing.T) {
	words := identifiers(t)
	for _, name := range documentedNames(t) {
		var exists bool
		switch {
		case words[name]:
			exists = true
		case strings.ContainsAny(name, "/*") || isFileName.MatchString(name):
			found, err := filepath.Glob(root + name)
			exists = err == nil && len(found) > 0
		default:
			exists = !slices.ContainsFunc(strings.Split(name, "."), func(word string) bool { return !words[word] })
		}
		if !exists {
			t.Errorf("the documentation names %s, which does not exist", name)
		}
	}
}

var (
	isFileName = regexp.MustCompile(`\.(go|md|yaml|json)$`)
	// codeName matches a path, or a Go name with or without what it belongs to.
	codeName = regexp.MustCompile("`([A-Za-z_][A-Za-z0-9_]*(?:\\.[A-Za-z_][A-Za-z0-9_]*)*|[A-Za-z0-9_*./]+)`")
)

// documentedNames returns the names in backticks of docs/architecture.md, outside its
// code blocks.
func documentedNames(t *testing.T) (names []string) {
	t.Helper()
	guide, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(string(guide), "")
	for _, match := range codeName.FindAllStringSubmatch(text, -1) {
		names = append(names, match[1])
	}
	if len(names) < 100 {
		t.Fatalf("only %d names found: %q", len(names), names)
	}
	return names
}

// identifiers returns every identifier and the content of every string of the
// program's own Go files, and the names of its packages.
func identifiers(t *testing.T) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				words[n.Name] = true
			case *ast.BasicLit:
				words[strings.Trim(n.Value, "\"`")] = true
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return words
}
