package rules

import (
	"cmp"
	"net/http"
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

// Release is what an app says of its release, in its response to VersionPath.
type Release struct {
	// IsNamed reports whether the response is that of an app which names its release
	// there. One of another app, or of an earlier release, is not.
	IsNamed bool
	// Found is the release, empty if it cannot be read, and Oldest the oldest that the
	// profile describes.
	Found, Oldest string
	// IsTooOld reports whether Found is older than Oldest.
	IsTooOld bool
}

// ReadRelease reads the app's response to VersionPath.
func (p *Profile) ReadRelease(status int, contentType string, body []byte) Release {
	if status != http.StatusOK || !strings.HasPrefix(contentType, "application/json") {
		return Release{Oldest: p.oldest.text}
	}
	r, ok := parseRelease(string(body))
	return Release{IsNamed: true, Found: r.text, Oldest: p.oldest.text, IsTooOld: ok && r.compare(p.oldest) < 0}
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
