package outbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/klauspost/compress/s2"
	bolt "go.etcd.io/bbolt"
)

// snapshot is one that was saved; the data of an entrySnapshot.
type snapshot struct {
	name snapshotName
	// size is that of the state file in bytes, sum its digest.
	size int64
	sum  [sha256.Size]byte
}

func (s snapshot) encode() []byte {
	var e encoder
	e.text(s.name.text)
	e.uint(uint64(s.size))
	return append(e, s.sum[:]...)
}

func decodeSnapshot(data []byte) (s snapshot, ok bool) {
	in := decoder{rest: data}
	s.name, ok = parseSnapshotName(in.text())
	s.size = int64(in.uint())
	if !ok || in.err != nil || len(in.rest) != len(s.sum) {
		return snapshot{}, false
	}
	copy(s.sum[:], in.rest)
	return s, true
}

// saveSnapshot saves a snapshot of what the state is at this moment, for which it is
// copied into the state directory first. The writer goes on meanwhile. The caller
// holds exclusive.
func (s *Store) saveSnapshot(ctx context.Context, e *engine) (saved snapshot, err error) {
	defer guard(&err)()
	path := filepath.Join(s.options.Dir, fileName+copySuffix)
	copied, err := e.copyTo(path, ending{ctx, s.closing})
	if err != nil {
		return snapshot{}, err
	}
	defer func() { err = errors.Join(err, closeDB(copied), removeFile(path)) }()
	if saved.name, err = makePortable(copied); err != nil {
		return snapshot{}, err
	}
	err = copied.View(func(tx *bolt.Tx) error {
		digest := sha256.New()
		transfer := watch(ctx)
		defer transfer.end()
		stream := streamOf(func(to io.Writer) (err error) {
			saved.size, err = tx.WriteTo(&backupWriter{to: io.MultiWriter(digest, to), until: ending{ctx, s.closing}})
			return err
		})
		defer stream.end()
		if err := s.options.Log.Save(transfer.ctx, saved.name.text, watchedReader{stream, transfer}); err != nil {
			return err
		}
		digest.Sum(saved.sum[:0])
		return nil
	})
	if err != nil {
		return snapshot{}, fmt.Errorf("cannot save a snapshot: %w", err)
	}
	return saved, nil
}

// makePortable removes from a copy what is this replica's alone, and names it.
func makePortable(copied *bolt.DB) (name snapshotName, err error) {
	err = copied.Update(func(tx *bolt.Tx) error {
		meta := tx.Bucket(bucketMeta.name())
		at, ok := decodePlace(getMeta(meta, keyApplied))
		if !ok {
			return errors.New("cannot make a snapshot of a state that belongs to no log")
		}
		var predecessor chain
		copy(predecessor[:], getMeta(meta, keyPredecessor))
		name = newSnapshotName(at, predecessor)
		return errors.Join(meta.Delete(keyPosition), meta.Delete(keyLost), meta.Delete(keyErase))
	})
	return name, err
}

// stream is compressed while it is read.
type stream struct {
	*io.PipeReader
	written chan struct{}
}

// streamOf returns what write writes, compressed. Its end must be called.
func streamOf(write func(to io.Writer) error) *stream {
	out, in := io.Pipe()
	s := &stream{PipeReader: out, written: make(chan struct{})}
	go func() {
		defer close(s.written)
		compressed := s2.NewWriter(in, s2.WriterConcurrency(1))
		err := write(compressed)
		_ = in.CloseWithError(errors.Join(err, compressed.Close())) // never fails
	}()
	return s
}

// end waits until nothing more is written.
func (s *stream) end() {
	_ = s.Close() // never fails
	<-s.written
}
