package chaos

import (
	"bytes"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/bbolt"
)

// ownOfReplica are the keys of the bucket meta that differ between replicas: how far
// each has come in the log, heartbeats included, and its own journal; and what whoever
// ends last has read of how the others ended.
var ownOfReplica = map[string]bool{"applied": true, "journal": true, "seen": true, "heard": true}

// differences compares the files of two replicas, bucket by bucket.
func differences(one, other string) (list []string, err error) {
	first, err := contents(one)
	if err != nil {
		return nil, err
	}
	second, err := contents(other)
	if err != nil {
		return nil, err
	}
	for key, value := range first {
		if got, has := second[key]; !has || got != value {
			list = append(list, fmt.Sprintf("%s: %q and %q", key, shown(value), shown(got)))
		}
	}
	for key := range second {
		if _, has := first[key]; !has {
			list = append(list, fmt.Sprintf("%s: only in the second", key))
		}
	}
	return list, nil
}

// contents returns all values of a file by the path of their keys, and the sequences of
// its buckets.
func contents(path string) (all map[string]string, err error) {
	file, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	defer file.Close()
	all = map[string]string{}
	return all, file.View(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bbolt.Bucket) error { return gather(all, string(name), b) })
	})
}

func gather(all map[string]string, path string, b *bbolt.Bucket) error {
	all[path+" (sequence)"] = fmt.Sprint(b.Sequence())
	return b.ForEach(func(key, value []byte) error {
		at := fmt.Sprintf("%s/%q", path, key)
		if value == nil {
			return gather(all, at, b.Bucket(key))
		}
		if path != "meta" || !ownOfReplica[string(key)] {
			all[at] = string(bytes.Clone(value))
		}
		return nil
	})
}

func shown(value string) string {
	const most = 40
	return value[:min(most, len(value))]
}

// emptySpill is the size of a spill file in which nothing waits.
const emptySpill = 64

// hasSpill reports whether something waits in the spill files of a state folder.
func hasSpill(state string) (waits bool, err error) {
	return waits, filepath.WalkDir(state, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasPrefix(entry.Name(), "spill-") {
			return err
		}
		info, err := entry.Info()
		waits = waits || err == nil && info.Size() > emptySpill
		return err
	})
}
