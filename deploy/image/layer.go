package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"io"
	"os"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

const (
	// user is who sidehook runs as.
	user = 65532
	// state is the folder of the durable store; a new volume takes its owner.
	state = "/var/lib/sidehook"
)

// layers returns the layers of an image: what changes seldom, and the binary.
func (r release) layers(binary string) ([]mutate.Addendum, error) {
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	base, err := r.layer("certificates and the folder of the state",
		folders("/etc/ssl/certs"),
		[]entry{{name: "/etc/ssl/certs/ca-certificates.crt", mode: 0o644, content: certificates()}},
		folders(path.Dir(state)),
		[]entry{{name: state, mode: 0o700, owner: user}})
	if err != nil {
		return nil, err
	}
	top, err := r.layer("sidehook "+r.version, []entry{{name: "/sidehook", mode: 0o755, content: program}})
	if err != nil {
		return nil, err
	}
	return []mutate.Addendum{base, top}, nil
}

// entry is a file, or a folder without content.
type entry struct {
	name    string
	mode    int64
	owner   int
	content []byte
}

// folders returns a folder after those that it is in.
func folders(name string) []entry {
	if name == "/" {
		return nil
	}
	return append(folders(path.Dir(name)), entry{name: name, mode: 0o755})
}

// layer returns a layer with entries, all of them made at the same time.
func (r release) layer(comment string, groups ...[]entry) (mutate.Addendum, error) {
	var content bytes.Buffer
	w := tar.NewWriter(&content)
	for _, group := range groups {
		for _, e := range group {
			header := &tar.Header{
				Typeflag: tar.TypeReg, Name: e.name[1:], Size: int64(len(e.content)),
				Mode: e.mode, Uid: e.owner, Gid: e.owner, ModTime: r.created,
			}
			if e.content == nil {
				header.Typeflag, header.Name = tar.TypeDir, header.Name+"/"
			}
			if err := w.WriteHeader(header); err != nil {
				return mutate.Addendum{}, err
			}
			if _, err := w.Write(e.content); err != nil {
				return mutate.Addendum{}, err
			}
		}
	}
	if err := w.Close(); err != nil {
		return mutate.Addendum{}, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer))
	return mutate.Addendum{Layer: layer, History: v1.History{Created: v1.Time{Time: r.created}, CreatedBy: "sidehook's release", Comment: comment}}, err
}

// certificates returns the roots that Mozilla trusts, those without constraints,
// since a list of certificates can't say any.
func certificates() []byte {
	var list bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&list, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a Buffer takes everything
		}
	}
	return list.Bytes()
}
