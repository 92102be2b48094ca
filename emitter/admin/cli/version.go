package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// Build is what this program was built from.
type Build struct {
	// Version is the release, "dev" where that is not known.
	Version string `json:"version"`
	// Commit is empty where the program was built outside a repository; Modified
	// reports that the files differed from it.
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// ReadBuild returns what this program was built from. version is what the linker
// set, empty where it set nothing.
func ReadBuild(version string) Build {
	b := Build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		b.read(info)
	}
	b.Version = cmp.Or(b.Version, "dev")
	return b
}

// read takes from info what is not known yet.
func (b *Build) read(info *debug.BuildInfo) {
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	if b.Version == "" && info.Main.Version != "(devel)" {
		b.Version = info.Main.Version
	}
}

// String returns the version, and the rest in parentheses.
func (b Build) String() string {
	var details []string
	if b.Commit != "" {
		details = append(details, "commit "+b.Commit)
	}
	if b.Modified {
		details = append(details, "modified")
	}
	return b.Version + " (" + strings.Join(append(details, b.Go, b.Platform), ", ") + ")"
}

// VersionCommand returns the command `sidehook version`.
func VersionCommand(build Build) *cobra.Command {
	var asJSON bool
	version := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Long:    "Print the version, the commit that it was built from, and the version of Go.",
		Example: "  sidehook version\n  sidehook version --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asJSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(build)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "sidehook version %s\n", build)
			return nil
		},
	}
	version.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return version
}
