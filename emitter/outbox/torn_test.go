package outbox

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"
)

// sector is the size of an atomic write of a disk.
const sector = 512

// files is the content of the files of a state directory, by name.
type files map[string][]byte

func readState(t testing.TB, dir string) files {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := files{}
	for _, entry := range entries {
		if all[entry.Name()], err = os.ReadFile(filepath.Join(dir, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// readLive reads the files as kill -9 would leave them at one moment.
func readLive(t testing.TB, s *Store, dir string) (all files) {
	t.Helper()
	do(t, s, func(*Tx) {
		tx, err := s.engine.Load().db.Begin(true) // so that no checkpoint writes
		if err != nil {
			t.Error(err)
			return
		}
		all = readState(t, dir)
		_ = tx.Rollback()
	})
	return all
}

// writeState replaces the files of a state directory.
func writeState(t testing.TB, dir string, all files) {
	t.Helper()
	for name := range readState(t, dir) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range all {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// tear returns what a power cut may leave of a commit: any of the sectors of its
// record. isWhole reports that the commit is complete.
func tear(r *rapid.T, before, after files) (torn files, isWhole bool) {
	if hasCheckpoint := !bytes.Equal(before[fileName], after[fileName]); hasCheckpoint {
		return after, true
	}
	random := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "sectors"), 0))
	torn, isWhole = files{}, true
	for name, content := range after {
		torn[name] = bytes.Clone(content)
		old := append(bytes.Clone(before[name]), make([]byte, max(0, len(content)-len(before[name])))...)
		for at := 0; at < len(content); at += sector {
			end := min(at+sector, len(content))
			if bytes.Equal(old[at:end], content[at:end]) || random.IntN(4) > 0 {
				continue
			}
			copy(torn[name][at:end], old[at:end])
			isWhole = false
		}
	}
	return torn, isWhole
}
