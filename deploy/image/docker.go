package main

import (
	"encoding/json"
	"os"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// dockerImage is one image in the manifest.json of an archive of Docker, with the
// paths of its parts in the archive.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// writeDockerManifest describes the images of an index as Docker does. Its tags
// stand for one image each: that for amd64 has the version, the others the
// architecture besides.
func writeDockerManifest(path string, index v1.ImageIndex, version string) error {
	manifest, err := index.IndexManifest()
	if err != nil {
		return err
	}
	var images []dockerImage
	for _, one := range manifest.Manifests {
		image, err := index.Image(one.Digest)
		if err != nil {
			return err
		}
		parts, err := image.Manifest()
		if err != nil {
			return err
		}
		tag := "sidehook:" + version
		if one.Platform.Architecture != "amd64" {
			tag += "-" + one.Platform.Architecture
		}
		described := dockerImage{Config: blob(parts.Config.Digest), RepoTags: []string{tag}}
		for _, layer := range parts.Layers {
			described.Layers = append(described.Layers, blob(layer.Digest))
		}
		images = append(images, described)
	}
	content, err := json.Marshal(images)
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}

// blob returns where an OCI archive has what has a digest.
func blob(digest v1.Hash) string { return "blobs/" + digest.Algorithm + "/" + digest.Hex }
