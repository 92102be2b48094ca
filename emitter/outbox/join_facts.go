package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// isEmpty reports whether a state has nothing that anybody would miss.
func (v *view) isEmpty() bool {
	for b := range bucketCount {
		if b != bucketMeta && v.first(b, nil) != nil {
			return false
		}
	}
	return true
}

// localState reads what the state file says.
func (w *writer) localState() (s localState, err error) {
	defer guard(&err)()
	v, err := w.engine.view()
	if err != nil {
		return localState{}, err
	}
	defer v.end()
	s.place, _, s.isLost = v.place()
	copy(s.predecessor[:], v.get(bucketMeta, keyPredecessor))
	s.isEmpty, s.differs = v.isEmpty(), w.replication.differs
	w.replication.differs = false // it is found out again
	return s, nil
}

// logState asks the log what it has. usable are the snapshots from which its entries
// go on, oldest first.
func (r *replication) logState(ctx context.Context) (s logState, usable []snapshotName, err error) {
	if s.first, s.last, err = r.extent(ctx); err != nil {
		return logState{}, nil, err
	}
	all, err := r.snapshots(ctx)
	if err != nil {
		return logState{}, nil, err
	}
	for _, name := range all {
		if name.number+1 < s.first || name.number > s.last {
			continue
		}
		if isFirst := name.index == 0; isFirst {
			isOfLog, err := r.beginsWith(ctx, name, s)
			if err != nil {
				return logState{}, nil, err
			}
			if !isOfLog {
				continue
			}
		}
		usable = append(usable, name)
	}
	if len(usable) > 0 {
		s.snapshot = usable[len(usable)-1]
	}
	return s, usable, nil
}

// snapshots returns the names of all snapshots, oldest first.
func (r *replication) snapshots(ctx context.Context) (all []snapshotName, err error) {
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	names, err := r.log.Snapshots(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errLog, err)
	}
	for _, text := range names {
		if name, ok := parseSnapshotName(text); ok {
			all = append(all, name)
		}
	}
	return all, nil
}

// beginsWith reports whether a snapshot without entries is the one that the log goes
// on from: several replicas may have tried to begin it.
func (r *replication) beginsWith(ctx context.Context, name snapshotName, s logState) (isOfLog bool, err error) {
	if isEmpty := s.first > s.last; isEmpty || name.number == s.last {
		return isEmpty, nil
	}
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	err = r.log.Written(ctx, name.number, func(_ uint64, encoded []byte) error {
		e, err := decodeEntry(encoded)
		isOfLog = err == nil && e.chain == chainOf(name.log, encoded)
		return errors.Join(err, errFound)
	})
	if errors.Is(err, errFound) || errors.Is(err, ErrGone) {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", errLog, err)
	}
	return isOfLog, err
}

// join makes the state file one to follow the log with. ok reports that it is one; if
// it is not, it was replaced or will be, or err says what is to be done.
func (w *writer) join(ctx context.Context) (file localState, log logState, ok bool, err error) {
	r := w.replication
	if file, err = w.localState(); err != nil {
		return file, log, false, err
	}
	log, usable, err := r.logState(ctx)
	if err != nil {
		return file, log, false, err
	}
	log.hasWaited = r.hasWaited(log)
	switch join(file, log) {
	case joinFollow:
		return file, log, true, nil
	case joinLoad:
		r.show(RoleLoading, r.unloaded)
		return file, log, false, w.load(ctx, usable, log)
	case joinBegin:
		r.show(RoleLoading, r.unloaded)
		return file, log, false, w.begin(ctx, file, log)
	case joinRefused:
		return file, log, false, &RefusedError{Dir: w.store.options.Dir}
	case joinLost:
		return file, log, false, &LostError{Applied: file.place.index, differs: file.differs}
	case joinWait:
	}
	if log.first > log.last {
		return file, log, false, errJoinWaits
	}
	return file, log, false, errNoSnapshot
}

// load puts the newest snapshot that can be read in the place of the state file.
func (w *writer) load(ctx context.Context, usable []snapshotName, log logState) (err error) {
	for _, name := range slices.Backward(usable) {
		if name.log != log.snapshot.log {
			continue
		}
		if err = w.loadSnapshot(ctx, name, log.last); err == nil {
			return nil
		}
		if isOtherBetter := errors.Is(err, errSnapshot) || errors.Is(err, ErrGone); !isOtherBetter {
			return err
		}
		w.store.log.Error("cannot load a snapshot of the log of the replicas", "snapshot", name.text, "error", err)
	}
	return err
}
