package deploy

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// testVersion is that of the release that tests are about.
const testVersion = "0.9.0"

// release makes a release once for all tests, and returns its folder.
// SIDEHOOK_RELEASE names one that was made already.
var release = sync.OnceValues(func() (string, error) {
	if made := os.Getenv("SIDEHOOK_RELEASE"); made != "" {
		return made, nil
	}
	out := filepath.Join(folder, "release")
	if log, err := exec.Command("./release", testVersion, out).CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot make a release: %w\n%s", err, log)
	}
	return out, nil
})

// released returns the path of a file of the release.
func released(t *testing.T, name string) string {
	t.Helper()
	out, err := release()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(out, "sidehook_"+testVersion+"_"+name)
}

func TestTheChecksumsAreThoseOfAllFiles(t *testing.T) {
	out := filepath.Dir(released(t, ""))
	var want []string
	files, err := filepath.Glob(filepath.Join(out, "sidehook_*"))
	if err != nil || len(files) != 13 {
		t.Fatalf("the release has %d files: %q (%v)", len(files), files, err)
	}
	for _, file := range files {
		sum := sha256.Sum256([]byte(read(t, file)))
		want = append(want, hex.EncodeToString(sum[:])+"  "+filepath.Base(file))
	}
	if got := strings.Split(strings.TrimSpace(read(t, filepath.Join(out, "SHA256SUMS"))), "\n"); !slices.Equal(got, want) {
		t.Errorf("SHA256SUMS has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestTheBinariesAreStaticAndKnowTheirVersion(t *testing.T) {
	f := func(platform string, isStatic func(path string) error) {
		t.Helper()
		path := unpack(t, platform)
		if err := isStatic(path); err != nil {
			t.Errorf("%s: %v", platform, err)
		}
	}
	f("linux_amd64", isStaticELF)
	f("linux_arm64", isStaticELF)
	// What every program on macOS is linked with is part of the system.
	isMachO := func(path string) error { _, err := macho.Open(path); return err }
	f("darwin_amd64", isMachO)
	f("darwin_arm64", isMachO)

	out, err := exec.CommandContext(t.Context(), unpack(t, "linux_amd64"), "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "sidehook version "+testVersion+" (") {
		t.Errorf("sidehook version prints %q (%v)", out, err)
	}
}

func isStaticELF(path string) error {
	file, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	for _, program := range file.Progs {
		if program.Type == elf.PT_INTERP || program.Type == elf.PT_DYNAMIC {
			return fmt.Errorf("it has a %s: it is not static", program.Type)
		}
	}
	return nil
}

func TestTheListOfModulesIsThatOfTheBinary(t *testing.T) {
	var sbom struct {
		Metadata struct {
			Component struct{ Name, Version string }
		}
		Components []struct{ Name, Version string }
	}
	if err := json.Unmarshal([]byte(read(t, released(t, "linux_amd64.cdx.json"))), &sbom); err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(unpack(t, "linux_amd64"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, component := range sbom.Components {
		listed[component.Name] = component.Version
	}
	for _, module := range info.Deps {
		if listed[module.Path] != module.Version {
			t.Errorf("%s %s is listed as %q", module.Path, module.Version, listed[module.Path])
		}
		delete(listed, module.Path)
	}
	if len(info.Deps) < 10 || len(listed) != 1 || listed["std"] == "" || sbom.Metadata.Component.Version != testVersion {
		t.Errorf("of %d modules, the list of %v has these besides: %v", len(info.Deps), sbom.Metadata.Component, listed)
	}
}

// unpack returns the path of the binary in an archive of the release.
func unpack(t *testing.T, platform string) string {
	t.Helper()
	file, err := os.Open(released(t, platform+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	archive, err := gzip.NewReader(bufio.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	names := extract(t, archive, to)
	want := []string{"LICENSE", "config.example.yaml", "sidehook"}
	for i := range want {
		want[i] = "sidehook_" + testVersion + "_" + platform + "/" + want[i]
	}
	if files := names[1:]; !slices.Equal(files, want) {
		t.Fatalf("the archive for %s has %q, want %q", platform, files, want)
	}
	return filepath.Join(to, want[2])
}

// extract unpacks a tar into a folder as it is, with owners where we may set them,
// and returns the names in it.
func extract(t *testing.T, from io.Reader, to string) (names []string) {
	t.Helper()
	reader := tar.NewReader(from)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, header.Name)
		path := filepath.Join(to, filepath.Clean("/"+header.Name))
		if header.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o755)
		} else {
			var content []byte
			if content, err = io.ReadAll(reader); err == nil {
				err = os.WriteFile(path, content, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, header.FileInfo().Mode().Perm()); err != nil {
			t.Fatal(err)
		}
		if os.Geteuid() == 0 {
			if err := os.Chown(path, header.Uid, header.Gid); err != nil {
				t.Fatal(err)
			}
		}
	}
}
