// Package profiles holds the built-in profiles, which describe in YAML what the
// traffic of an app means. Package rules compiles them, and describes the language
// in rules/schema/profile.json; decsys.yaml, which has every key with a comment, is
// its manual.
package profiles

import (
	"embed"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// Names returns the names of the built-in profiles, sorted.
func Names() []string {
	entries, _ := files.ReadDir(".") // cannot fail: the folder is embedded
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
	}
	return names
}

// Read returns the YAML of the built-in profile of that name; ok is false if there is none.
func Read(name string) (source []byte, ok bool) {
	source, err := files.ReadFile(name + ".yaml")
	return source, err == nil
}
