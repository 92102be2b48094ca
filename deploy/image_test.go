package deploy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

func TestTheImageIsThatOfTheDockerfile(t *testing.T) {
	for architecture, image := range images(t) {
		file, err := image.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		c := file.Config
		got := map[string]string{
			"USER": c.User, "ENV": c.Env[0], "VOLUME": one(c.Volumes), "EXPOSE": one(c.ExposedPorts),
			"ENTRYPOINT": text(c.Entrypoint), "CMD": text(c.Cmd),
			"HEALTHCHECK": fmt.Sprintf("--interval=%v --timeout=%v --start-period=%v CMD %s",
				c.Healthcheck.Interval, c.Healthcheck.Timeout, c.Healthcheck.StartPeriod, text(c.Healthcheck.Test[1:])),
		}
		want := dockerfile(t)
		for name := range got {
			if got[name] != want[name] {
				t.Errorf("%s: %s is %q, and in the Dockerfile %q", architecture, name, got[name], want[name])
			}
		}
		if file.OS != "linux" || file.Architecture != architecture || file.Created.Before(time.Unix(1, 0)) {
			t.Errorf("the image for %s is for %s/%s, of %v", architecture, file.OS, file.Architecture, file.Created)
		}
	}
}

// Versions of Docker that know no OCI archives read another manifest.
func TestDockerFindsTheSameImages(t *testing.T) {
	for architecture, image := range images(t) {
		tag, err := name.NewTag("sidehook:" + testVersion + map[string]string{"arm64": "-arm64"}[architecture])
		if err != nil {
			t.Fatal(err)
		}
		found, err := tarball.ImageFromPath(released(t, "image.tar"), &tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(found); err != nil {
			t.Error(err)
		}
		want, err := image.ConfigName()
		if got, foundErr := found.ConfigName(); err != nil || foundErr != nil || got != want {
			t.Errorf("%s is %v, want %v (%v, %v)", tag, got, want, err, foundErr)
		}
	}
}

func TestTheImageRunsAsItsUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can change the root folder")
	}
	image := images(t)["amd64"]
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	layers := mutate.Extract(image)
	defer layers.Close()
	root, admin := t.TempDir(), freeAddresses(t, 1)[0]
	// The user must be able to go through the folders above.
	for at := root; at != "/"; at = at[:max(strings.LastIndexByte(at, '/'), 1)] {
		if at == os.TempDir() || at == "/tmp" {
			break
		}
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	extract(t, layers, root)
	if certificates := read(t, root+"/etc/ssl/certs/ca-certificates.crt"); strings.Count(certificates, "BEGIN CERTIFICATE") < 100 {
		t.Errorf("the image trusts\n%s", certificates)
	}
	write(t, root+"/etc/sidehook/config.yaml", "app: http://127.0.0.1:9\nlisten: 127.0.0.1:0\nadmin: "+admin+
		"\ntargets: {crm: {url: http://127.0.0.1:9, secret: env:CRM_SECRET}}\nrules: [{to: [crm]}]\n")
	if err := os.Chmod(root+"/etc/sidehook/config.yaml", 0o644); err != nil {
		t.Fatal(err)
	}
	inside := func(args ...string) *exec.Cmd {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir, cmd.Env = "/", append(slices.Clone(file.Config.Env), "CRM_SECRET="+secret, "SIDEHOOK_ADMIN="+admin)
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: imageUser, Gid: imageUser}}
		return cmd
	}
	start(t, inside(slices.Concat(file.Config.Entrypoint, file.Config.Cmd)...))
	await(t, "http://"+admin+"/metrics", func(status int, body string) bool {
		return status == http.StatusOK && strings.Contains(body, "\nsidehook_store_open 1\n")
	})
	// The app is down, and that is all that is wrong.
	out, err := inside(file.Config.Healthcheck.Test[1:]...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "cannot connect to the app") {
		t.Errorf("the health check says %q (%v)", out, err)
	}
}

// images returns the images of the release by architecture.
func images(t *testing.T) map[string]v1.Image {
	t.Helper()
	to := t.TempDir()
	archive, err := os.Open(released(t, "image.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	extract(t, archive, to)
	outer, err := layout.ImageIndexFromPath(to)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := outer.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(manifest.Manifests) != 1 || manifest.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != testVersion {
		t.Fatalf("the archive has %+v", manifest.Manifests)
	}
	index, err := outer.ImageIndex(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
	if manifest, err = index.IndexManifest(); err != nil {
		t.Fatal(err)
	}
	found := map[string]v1.Image{}
	for _, one := range manifest.Manifests {
		if found[one.Platform.Architecture], err = index.Image(one.Digest); err != nil {
			t.Fatal(err)
		}
	}
	if len(found) != 2 || found["amd64"] == nil || found["arm64"] == nil {
		t.Fatalf("there are images for %v", found)
	}
	return found
}

// dockerfile returns the instructions of the Dockerfile's last stage, by name.
func dockerfile(t *testing.T) map[string]string {
	t.Helper()
	_, last, _ := strings.Cut(read(t, root+"Dockerfile"), "\nFROM scratch\n")
	instructions := map[string]string{}
	for _, match := range regexp.MustCompile(`(?m)^([A-Z]+) (.+)$`).FindAllStringSubmatch(last, -1) {
		instructions[match[1]] = match[2]
	}
	return instructions
}

// one returns the names of a set, as the Dockerfile has them.
func one(set map[string]struct{}) string {
	var names []string
	for name := range set {
		names = append(names, strings.TrimSuffix(name, "/tcp"))
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// text returns a command as the Dockerfile has it.
func text(command []string) string {
	var b bytes.Buffer
	_ = json.NewEncoder(&b).Encode(command) // a Buffer takes everything
	return strings.ReplaceAll(strings.TrimSpace(b.String()), `","`, `", "`)
}
