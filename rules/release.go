package rules

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"

	"github.com/sidehook/sidehook/rules/strictyaml"
)

// release is a release of an app, in the order of Semantic Versioning.
type release struct {
	major, minor, patch int
	// isPre marks a pre-release, which precedes the release itself.
	isPre bool
	text  string
}

// versionFields are where an app publishes its release, and the oldest supported.
type versionFields struct {
	Get    string `yaml:"get"`
	Oldest string `yaml:"oldest"`
}

var releasePattern = regexp.MustCompile(`(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?`)

// parseRelease returns the first release in a text.
func parseRelease(text string) (r release, ok bool) {
	parts := releasePattern.FindStringSubmatch(text)
	if parts == nil {
		return release{}, false
	}
	numbers := [3]int{}
	for i := range numbers {
		n, err := strconv.Atoi(parts[i+1])
		if err != nil {
			return release{}, false
		}
		numbers[i] = n
	}
	return release{major: numbers[0], minor: numbers[1], patch: numbers[2], isPre: parts[4] != "", text: parts[0]}, true
}

func (r release) compare(other release) int {
	rank := map[bool]int{true: -1}
	return cmp.Or(
		cmp.Compare(r.major, other.major), cmp.Compare(r.minor, other.minor), cmp.Compare(r.patch, other.patch),
		cmp.Compare(rank[r.isPre], rank[other.isPre]),
	)
}

// VersionPath is the path of the app's release for GET, empty if it has none.
func (p *Profile) VersionPath() string { return p.version }

// TooOld reports whether the release in the app's response to VersionPath is older
// than the oldest that the profile describes. It is not if there is no release in it.
func (p *Profile) TooOld(json []byte) (found, oldest string, old bool) {
	r, ok := parseRelease(string(json))
	return r.text, p.oldest.text, ok && r.compare(p.oldest) < 0
}

func compileVersion(doc *strictyaml.Document, file versionFields) (path string, oldest release) {
	if file == (versionFields{}) {
		return "", release{}
	}
	if !strings.HasPrefix(file.Get, "/") {
		doc.Wrong("version.get", "must be a path, such as /version, not %q", file.Get)
	}
	oldest, ok := parseRelease(file.Oldest)
	if !ok || oldest.text != file.Oldest {
		doc.Wrong("version.oldest", "must be a release, such as 2.0.0, not %q", file.Oldest)
	}
	return file.Get, oldest
}
