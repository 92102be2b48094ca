package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Links lead to files and headings that exist; those to other sites are not followed.
func TestLinksOfTheDocumentationLeadSomewhere(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for _, page := range append(pages, root+"README.md") {
		text := readPage(t, page)
		for _, match := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			links++
			file, heading, hasHeading := strings.Cut(match[1], "#")
			to := page
			if file != "" {
				to = filepath.Join(filepath.Dir(page), file)
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", page, match[1])
			} else if hasHeading && !hasAnchor(readPage(t, to), heading) {
				t.Errorf("%s: %s has no heading #%s", page, to, heading)
			}
		}
	}
	if links < 20 {
		t.Errorf("only %d links were found", links)
	}
}

var codeBlock = regexp.MustCompile("(?s)```.*?```")

func readPage(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// hasAnchor reports whether a heading of a page gets the anchor, as GitHub makes it.
func hasAnchor(page, anchor string) bool {
	for _, match := range regexp.MustCompile(`(?m)^#+ +(.+)$`).FindAllStringSubmatch(codeBlock.ReplaceAllString(page, ""), -1) {
		name := regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(match[1]), "")
		if strings.ReplaceAll(name, " ", "-") == anchor {
			return true
		}
	}
	return false
}
