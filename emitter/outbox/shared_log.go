package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// dropPatience is how long one attempt to delete something of the log takes, at most.
const dropPatience = 30 * time.Second

// sharedLog asks the log of the replicas what it has, and drops what nobody needs, each
// within a deadline. It knows nothing of the writer, so any goroutine may use it.
type sharedLog struct{ Log }

// extent returns the numbers of the first and the last entry there is.
func (l sharedLog) extent(ctx context.Context) (first, last uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	if first, last, err = l.Extent(ctx); err != nil {
		return 0, 0, fmt.Errorf("%w: %w", errLog, err)
	}
	return first, last, nil
}

// state returns what the log has. usable are the snapshots from which its entries
// go on, oldest first.
func (l sharedLog) state(ctx context.Context) (s logState, usable []snapshotName, err error) {
	if s.first, s.last, err = l.extent(ctx); err != nil {
		return logState{}, nil, err
	}
	all, err := l.snapshots(ctx)
	if err != nil {
		return logState{}, nil, err
	}
	for _, name := range all {
		if name.number+1 < s.first || name.number > s.last {
			continue
		}
		if isFirst := name.index == 0; isFirst {
			isOfLog, err := l.beginsWith(ctx, name, s)
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
func (l sharedLog) snapshots(ctx context.Context) (all []snapshotName, err error) {
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	names, err := l.Snapshots(ctx)
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
func (l sharedLog) beginsWith(ctx context.Context, name snapshotName, s logState) (isOfLog bool, err error) {
	if isEmpty := s.first > s.last; isEmpty || name.number == s.last {
		return isEmpty, nil
	}
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	err = l.Written(ctx, name.number, func(_ uint64, encoded []byte) error {
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

// dropBefore removes the snapshots before those that are kept, up to one, and the
// entries that no snapshot needs.
func (l sharedLog) dropBefore(ctx context.Context, last snapshotName, keep int) error {
	all, err := l.snapshots(ctx)
	if err != nil {
		return err
	}
	oldest := last.number
	for _, s := range slices.Backward(all) {
		if isOlder := s.log == last.log && s.number < oldest; isOlder && keep > 1 {
			oldest, keep = s.number, keep-1
		}
	}
	for _, s := range all {
		if s.number >= oldest { // it is kept, or of somebody who begins a new log
			continue
		}
		if err := l.removeSnapshot(ctx, s); err != nil {
			return err
		}
	}
	return l.drop(ctx, oldest)
}

// removeSnapshot removes a snapshot; it is no error if another has.
func (l sharedLog) removeSnapshot(ctx context.Context, s snapshotName) error {
	ctx, cancel := context.WithTimeout(ctx, dropPatience)
	defer cancel()
	if err := l.Remove(ctx, s.text); err != nil && !errors.Is(err, ErrGone) {
		return fmt.Errorf("cannot remove a snapshot of the log of the replicas: %w", err)
	}
	return nil
}

// drop drops entries of the log up to a number.
func (l sharedLog) drop(ctx context.Context, upTo uint64) error {
	ctx, cancel := context.WithTimeout(ctx, dropPatience)
	defer cancel()
	if err := l.Drop(ctx, upTo); err != nil {
		return fmt.Errorf("cannot drop entries of the log of the replicas: %w", err)
	}
	return nil
}
