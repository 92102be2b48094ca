// Command image builds the OCI image of a release from its binaries, for several
// architectures, without a container engine. What it writes is an OCI archive,
// with a manifest for those versions of `docker load` that know no OCI archives.
// The same input gives the same bytes.
//
//	go run ./image -version 1.2.3 -created 1790000000 -o image.tar amd64=path arm64=path
//
// Its configuration is that of the Dockerfile.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// release is what an image is built for.
type release struct {
	version string
	created time.Time
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run() error {
	var r release
	var out string
	var created int64
	flag.StringVar(&r.version, "version", "", "the `version` of the release")
	flag.Int64Var(&created, "created", 0, "when it was made, as a Unix `time`")
	flag.StringVar(&out, "o", "image.tar", "the archive's `file`")
	flag.Parse()
	r.created = time.Unix(created, 0).UTC()
	if r.version == "" || flag.NArg() == 0 {
		return errors.New("give a version, and the binary of each architecture: amd64=path")
	}
	index, err := r.index(flag.Args())
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "sidehook-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	if err := path.AppendIndex(index, layout.WithAnnotations(map[string]string{
		"org.opencontainers.image.ref.name": r.version,
		"io.containerd.image.name":          "docker.io/library/sidehook:" + r.version,
	})); err != nil {
		return err
	}
	if err := writeDockerManifest(filepath.Join(folder, "manifest.json"), index, r.version); err != nil {
		return err
	}
	return archive(folder, out, r.created)
}

// index returns the images of all binaries, each given as architecture=path.
func (r release) index(binaries []string) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, binary := range binaries {
		architecture, path, isPair := strings.Cut(binary, "=")
		if !isPair {
			return nil, fmt.Errorf("%q is not architecture=path", binary)
		}
		image, err := r.image(architecture, path)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "linux", Architecture: architecture},
		}})
	}
	return mutate.Annotations(index, r.labels()).(v1.ImageIndex), nil
}

// image returns the image of one architecture.
func (r release) image(architecture, path string) (v1.Image, error) {
	layers, err := r.layers(path)
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if image, err = mutate.Append(image, layers...); err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.OS, file.Architecture, file.Created = "linux", architecture, v1.Time{Time: r.created}
	file.Config = v1.Config{
		User:         fmt.Sprintf("%d:%d", user, user),
		Env:          []string{"PATH=/"},
		Entrypoint:   []string{"/sidehook"},
		Cmd:          []string{"run", "/etc/sidehook/config.yaml"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}, "9090/tcp": {}},
		Volumes:      map[string]struct{}{state: {}},
		WorkingDir:   "/",
		Labels:       r.labels(),
		Healthcheck: &v1.HealthConfig{
			Test:     []string{"CMD", "/sidehook", "health"},
			Interval: 10 * time.Second, Timeout: 4 * time.Second, StartPeriod: 10 * time.Second,
		},
	}
	return mutate.ConfigFile(image, file)
}

func (r release) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":       "sidehook",
		"org.opencontainers.image.description": "Webhooks for a survey app that nobody may change",
		"org.opencontainers.image.version":     r.version,
		"org.opencontainers.image.created":     r.created.Format(time.RFC3339),
		"org.opencontainers.image.licenses":    "Apache-2.0",
		"org.opencontainers.image.source":      "https://github.com/sidehook/sidehook",
	}
}
