// Package profiles holds the profiles that need no file.
package profiles

import (
	"embed"
	"strings"
)

//go:embed *.yaml
var files embed.FS

// Names are the names of all built-in profiles, sorted.
func Names() []string {
	entries, _ := files.ReadDir(".")
	var names []string
	for _, entry := range entries {
		names = append(names, strings.TrimSuffix(entry.Name(), ".yaml"))
	}
	return names
}

// Read returns the YAML of a built-in profile; ok is false where there is none of that name.
func Read(name string) (source []byte, ok bool) {
	source, err := files.ReadFile(name + ".yaml")
	return source, err == nil
}
