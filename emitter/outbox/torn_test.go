package outbox

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

const (
	// sector is the size of an atomic write of a disk.
	sector = 512
	// metaPages is the number of meta pages, at the beginning of a file.
	metaPages = 2
)

// readState reads the state file of a directory, writeState writes it.
func readState(t testing.TB, dir string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func writeState(t testing.TB, dir string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, fileName), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// tear returns what a power cut may leave of a commit: any of its sectors. The
// meta page is written last, so that it may be missing or torn; isWhole reports
// that the commit is complete.
func tear(r *rapid.T, before, after []byte) (torn []byte, isWhole bool) {
	metas := metaPages * os.Getpagesize()
	switch rapid.SampledFrom([]string{"before the meta page", "within the meta page", "after it"}).Draw(r, "cut") {
	case "within the meta page":
		torn = bytes.Clone(after)
		for at := 0; at < metas; at += os.Getpagesize() {
			written := rapid.IntRange(16, 72).Draw(r, "bytes of the meta page") // it ends with its checksum, at 80
			copy(torn[at+written:at+os.Getpagesize()], before[at+written:])
		}
		return torn, bytes.Equal(torn[:metas], after[:metas])
	case "after it":
		return bytes.Clone(after), true
	}
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "sectors"), 0))
	torn = bytes.Clone(before)
	if len(after) > len(torn) && random.IntN(2) == 0 {
		torn = append(torn, make([]byte, len(after)-len(torn))...)
	}
	for at := metas; at < min(len(torn), len(after)); at += sector {
		if random.IntN(2) == 0 {
			copy(torn[at:at+sector], after[at:])
		}
	}
	return torn, false
}
