package outbox

import (
	"context"
	"errors"
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

// join makes the state file one to follow the log with. ok reports that it is one; if
// it is not, it was replaced or will be, or err says what is to be done.
func (w *writer) join(ctx context.Context) (file localState, log logState, ok bool, err error) {
	r := w.replication
	if file, err = w.localState(); err != nil {
		return file, log, false, err
	}
	log, usable, err := r.log.state(ctx)
	if err != nil {
		return file, log, false, err
	}
	r.problem = nil
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
