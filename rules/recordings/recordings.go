package recordings

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/sidehook/sidehook/rules/trial"
)

//go:embed data
var data embed.FS

// Recording is one run: what was on the wire, and what a receiver must get.
type Recording struct {
	Name string
	// Exchanges are in the order of their starts.
	Exchanges []trial.Recorded
	// Webhooks are the bodies that a receiver must get in format decsys: those in
	// NAME.expected.json if there is one, or else those that Decsys itself sent.
	Webhooks []string
}

// Names returns the names of all recordings.
func Names() []string {
	files, err := data.ReadDir("data")
	if err != nil {
		panic("BUG: the recordings are not embedded: " + err.Error())
	}
	var names []string
	for _, file := range files {
		if name, ok := strings.CutSuffix(file.Name(), ".har.gz"); ok {
			names = append(names, name)
		}
	}
	return names
}

// Read returns the recording of that name.
func Read(name string) (*Recording, error) {
	har, err := unzip(name + ".har.gz")
	if err != nil {
		return nil, err
	}
	exchanges, skipped, err := trial.ReadHAR(bytes.NewReader(har))
	if err != nil || len(skipped) > 0 {
		return nil, fmt.Errorf("%s: %w, skipped %v", name, err, skipped)
	}
	webhooks, err := unzip(name + ".expected.json.gz")
	if err != nil {
		webhooks, err = unzip(name + ".webhooks.json.gz")
	}
	if err != nil {
		return nil, err
	}
	var sent []struct{ Body string }
	if err := json.Unmarshal(webhooks, &sent); err != nil {
		return nil, fmt.Errorf("cannot read the webhooks of %s: %w", name, err)
	}
	r := &Recording{Name: name, Exchanges: exchanges}
	for _, one := range sent {
		r.Webhooks = append(r.Webhooks, one.Body)
	}
	return r, nil
}

func unzip(name string) ([]byte, error) {
	file, err := data.Open("data/" + name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("cannot unzip %s: %w", name, err)
	}
	return io.ReadAll(unzipped)
}
