package cli

import (
	"runtime/debug"
	"testing"
)

func TestABuildNamesReleaseCommitAndGo(t *testing.T) {
	f := func(linked string, info debug.BuildInfo, want string) {
		t.Helper()
		b := Build{Version: linked, Go: "go1.26.8", Platform: "linux/arm64"}
		b.read(&info)
		if got := b.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	clone := []debug.BuildSetting{{Key: "vcs.revision", Value: "0123abc"}, {Key: "vcs.modified", Value: "true"}}
	installed := debug.BuildInfo{Main: debug.Module{Version: "v1.2.0"}}
	f("", installed, "v1.2.0 (go1.26.8, linux/arm64)")
	f("v1.3.0-rc.1", installed, "v1.3.0-rc.1 (go1.26.8, linux/arm64)")
	f("v1.2.0", debug.BuildInfo{Settings: clone}, "v1.2.0 (commit 0123abc, modified, go1.26.8, linux/arm64)")
	clone[1].Value = "false"
	f("v1.2.0", debug.BuildInfo{Settings: clone}, "v1.2.0 (commit 0123abc, go1.26.8, linux/arm64)")
	if got := ReadBuild("").Version; got == "" || got == "(devel)" {
		t.Errorf("a build without a version is called %q", got)
	}
}
