package outbox

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// checkpointAfter is how long a commit stays in the journal alone, at most.
	checkpointAfter = 5 * time.Second
	// checkpointPause is how long after a failed checkpoint the next one begins.
	checkpointPause = time.Second
	// pageSize is the size of a page of the state file.
	pageSize = 4096
	// yieldEvery is after how many records a checkpoint lets others have the CPU.
	yieldEvery = 32
	// glanceEvery is how often a writer that waits for a checkpoint looks what else there is
	// to do, and maxStall for how long a checkpoint that gets on may write nothing.
	glanceEvery = 100 * time.Millisecond
	maxStall    = 10 * time.Second
)

// frozen is an overlay on its way to the state file.
//
//	          ┌── it failed ──┐
//	          ▼               │
//	begun ► waiting ──────► running ──► gone
type frozen struct {
	changes *overlay
	// upTo is the last record of the journal that it has.
	upTo position
	// erases reports that the journal must not keep what it had.
	erases bool
	// moved receives the outcome of its first checkpoint, if somebody waits for it.
	moved chan<- error

	// running ends with the outcome of the checkpoint; nil while none runs.
	running chan error
	cancel  context.CancelFunc
	// steps has a token when a part of the checkpoint is in the file.
	steps chan struct{}
	// again is when the next checkpoint begins, err why the last one failed.
	again time.Time
	err   error
}

// makeRoom begins and ends checkpoints. It waits for one only if the journal is
// full, and calls meanwhile now and then as long as that checkpoint gets on; it
// returns an error if there is no room for another commit.
func (e *engine) makeRoom(meanwhile func()) error {
	for {
		e.collect(e.isFull(), meanwhile)
		if e.frozen == nil {
			if err := e.freezeIfDue(); err != nil {
				return err
			}
		}
		if err := e.damage(); err != nil {
			return err
		}
		e.startIfDue()
		switch {
		case !e.isFull():
			return nil
		case e.frozen.running == nil:
			return fmt.Errorf("the journal is full, and the state file cannot take it: %w", e.frozen.err)
		}
	}
}

func (e *engine) freezeIfDue() error {
	isDue := !e.active.isEmpty() && time.Since(e.began) >= checkpointAfter
	switch {
	case e.erase != nil:
		moved := e.erase
		e.erase = nil
		return e.freeze(true, moved)
	case isDue || e.isFull():
		return e.freeze(false, nil)
	}
	return nil
}

// nextCheckpoint returns when makeRoom has something to do, at the latest after a while.
func (e *engine) nextCheckpoint(latest time.Duration) time.Duration {
	switch {
	case e.frozen != nil && e.frozen.running == nil && e.shrinking == nil:
		return min(latest, time.Until(e.frozen.again))
	case e.frozen == nil && !e.active.isEmpty():
		return min(latest, time.Until(e.began.Add(checkpointAfter)))
	}
	return latest
}

// running ends with the outcome of the checkpoint that runs; nil if there is none.
func (e *engine) running() <-chan error {
	if e.frozen == nil {
		return nil
	}
	return e.frozen.running
}

func (e *engine) isFull() bool {
	return e.journal.length >= e.journal.limit || int64(e.active.memory) >= 2*e.journal.limit
}

// damage returns the error of a checkpoint that found the state file damaged.
func (e *engine) damage() error {
	if e.frozen != nil && errors.Is(e.frozen.err, errCorrupt) {
		return e.frozen.err
	}
	return nil
}

// freeze ends the segment and begins another one. There must be no frozen
// overlay. If it erases, neither segment keeps anything that was in it before.
func (e *engine) freeze(erases bool, moved chan<- error) (err error) {
	defer func() {
		if err != nil && moved != nil {
			moved <- err
		}
	}()
	if erases {
		if err := e.journal.wipe(e.journal.last.segment + 1); err != nil {
			return err
		}
	}
	upTo := e.journal.last
	if err := e.journal.rotate(); err != nil {
		return err
	}
	e.frozen = &frozen{changes: e.active, upTo: upTo, erases: erases, moved: moved, steps: make(chan struct{}, 1)}
	e.active = newOverlay()
	e.publish()
	return nil
}

// startIfDue begins the checkpoint of the frozen overlay, unless it runs already
// or has failed just now.
func (e *engine) startIfDue() {
	f := e.frozen
	if f == nil || f.running != nil || e.shrinking != nil || time.Now().Before(f.again) {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	running := make(chan error, 1)
	f.running, f.cancel = running, cancel
	go func() { running <- e.apply(ctx, f) }()
}

// collect takes the outcome of a checkpoint if it has ended. If wait is true it
// waits for that, and calls meanwhile.
func (e *engine) collect(wait bool, meanwhile func()) {
	f := e.frozen
	if f == nil || f.running == nil {
		return
	}
	if wait {
		e.ended(f.await(meanwhile))
		return
	}
	select {
	case err := <-f.running:
		e.ended(err)
	default:
	}
}

// await waits for the outcome of a running checkpoint. It calls meanwhile now and then,
// but not while nothing comes into the file.
func (f *frozen) await(meanwhile func()) error {
	ticker := time.NewTicker(glanceEvery)
	defer ticker.Stop()
	for last := time.Now(); ; {
		select {
		case err := <-f.running:
			return err
		case <-f.steps:
			last = time.Now()
		case <-ticker.C:
			if time.Since(last) < maxStall {
				meanwhile()
			}
		}
	}
}

// step notes that a part of the checkpoint is in the file.
func (f *frozen) step() {
	select {
	case f.steps <- struct{}{}:
	default:
	}
}

// ended notes the outcome of a checkpoint.
func (e *engine) ended(err error) {
	f := e.frozen
	f.cancel()
	if f.running = nil; err == nil {
		e.frozen = nil
		e.publish()
		if f.erases {
			err = errors.Join(e.journal.wipe(f.upTo.segment), e.journal.removeAside(), removeFile(e.path+asideSuffix))
		}
	} else {
		f.err, f.again = err, time.Now().Add(checkpointPause)
		e.logFailure.Do(func() {
			e.log.Warn("cannot move the journal to the state file: it stays in the journal and is tried again", "error", err)
		})
	}
	if f.moved != nil {
		f.moved <- err
		f.moved = nil
	}
}

// stop ends a running checkpoint and waits for that.
func (f *frozen) stop() {
	if f.running != nil {
		f.cancel()
		f.err = <-f.running // whatever it is, the journal still has everything
		f.running = nil
	}
	if f.moved != nil {
		f.moved <- ErrClosed
		f.moved = nil
	}
}

// apply writes a frozen overlay into the state file. If it does not come to its
// end, part of it is in the file, and the next time replaces that by the same.
func (e *engine) apply(ctx context.Context, f *frozen) (err error) {
	defer guard(&err)()
	next, stop := iter.Pull(f.changes.all())
	defer stop()
	for r, more := next(); ; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := e.db.Update(func(tx *bolt.Tx) error {
			for n := 0; more && n < e.applyAtOnce; n++ {
				if err := applyRecord(tx, r); err != nil {
					return err
				}
				if r, more = next(); n%yieldEvery == 0 {
					runtime.Gosched()
				}
			}
			if more {
				return nil
			}
			return putPosition(tx.Bucket(bucketMeta.name()), f.upTo)
		})
		if err != nil || !more {
			return err
		}
		f.step()
	}
}

func applyRecord(tx *bolt.Tx, r record) error {
	if bucket(r.key[0]) == sequences {
		return tx.Bucket(bucket(r.key[1]).name()).SetSequence(binary.BigEndian.Uint64(r.value))
	}
	b := bucket(r.key[0])
	if b == strays {
		return dropStray(tx, r.key[1:])
	}
	to := newFileBucket(tx, b)
	if r.value == nil {
		return to.Delete(r.key[1:])
	}
	if b.isGrowing() {
		to.FillPercent = growingFill
	}
	return to.Put(r.key[1:], r.value)
}

var keyPosition = []byte("journal")

// putPosition notes in the state file that it has what the journal has up to p.
func putPosition(meta *bolt.Bucket, p position) error {
	return putMeta(meta, keyPosition, appendUint64s(nil, p.state, p.segment, p.seq))
}

// readPosition returns the position up to which the state file has what the
// journal has, a zero one if it has no journal yet.
func readPosition(meta *bolt.Bucket) (p position) {
	if record := getMeta(meta, keyPosition); len(record) == 24 {
		p = position{binary.BigEndian.Uint64(record), binary.BigEndian.Uint64(record[8:]), binary.BigEndian.Uint64(record[16:])}
	}
	return p
}
