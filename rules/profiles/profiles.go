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
