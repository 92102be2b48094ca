package emitter

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/rules"
)

// recordingNames lists the recordings of real Decsys traffic.
func recordingNames(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("../rules/testdata/recordings/*.har.gz")
	if err != nil || len(files) == 0 {
		t.Fatalf("cannot find the recordings: %v", err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".har.gz")
	}
	return files
}

func readRecording(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.Open("../rules/testdata/recordings/" + name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(unzipped)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// recordedExchanges reads NAME.har.
func recordedExchanges(t testing.TB, name string) []rules.Recorded {
	t.Helper()
	recorded, err := rules.ReadHAR(strings.NewReader(string(readRecording(t, name+".har"))))
	if err != nil {
		t.Fatal(err)
	}
	return recorded
}

// expectedBodies reads NAME.expected.json where there is one, else what Decsys
// itself sent.
func expectedBodies(t testing.TB, name string) []string {
	t.Helper()
	file := name + ".expected.json"
	if _, err := os.Stat("../rules/testdata/recordings/" + file + ".gz"); err != nil {
		file = name + ".webhooks.json"
	}
	var sent []struct{ Body string }
	if err := json.Unmarshal(readRecording(t, file), &sent); err != nil {
		t.Fatal(err)
	}
	bodies := make([]string, len(sent))
	for i, one := range sent {
		bodies[i] = one.Body
	}
	return bodies
}
