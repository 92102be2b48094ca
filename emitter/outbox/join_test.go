package outbox

import (
	"strings"
	"testing"
)

func TestReplicaJoinsALogByWhatItsFileSays(t *testing.T) {
	ours, theirs, older, none := chain{1}, chain{2}, chain{3}, chain{}
	f := func(what string, file localState, log logState, want joining) {
		t.Helper()
		if got := join(file, log); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	snapshot := func(log, predecessor chain, number uint64) snapshotName {
		return newSnapshotName(place{log: log, index: number, number: number}, predecessor)
	}
	empty := localState{isEmpty: true}
	single := localState{}
	has := func(log chain, number uint64) localState {
		return localState{place: place{log: log, index: number, number: number}}
	}
	with := func(s localState, change func(*localState)) localState { change(&s); return s }
	noEntries := logState{first: 1}
	noEntriesForLong := logState{first: 1, hasWaited: true}
	log := logState{first: 11, last: 30, snapshot: snapshot(ours, none, 20)}

	f("an empty file and an empty log", empty, noEntries, joinWait)
	f("an empty file and a log that stays empty", empty, noEntriesForLong, joinBegin)
	f("a single sidehook's file and an empty log", single, noEntries, joinBegin)
	begun := logState{first: 1, snapshot: snapshot(theirs, none, 0)}
	f("an empty file and a log that another begins", empty, begun, joinLoad)
	f("a single sidehook's file and a log that another begins", single, begun, joinWait)
	begun.hasWaited = true
	f("a single sidehook's file and a log that another began and did not", single, begun, joinBegin)
	f("a file that began the empty log", has(ours, 0), noEntries, joinBegin)
	f("a file that has saved the first snapshot of the empty log", has(theirs, 0), begun, joinFollow)
	f("a file and a log that was deleted, but not its first snapshot", has(theirs, 30), begun, joinLost)
	f("a file that began the empty log as another did", has(ours, 0), begun, joinBegin)
	f("a file and a log that was deleted", has(ours, 30), noEntries, joinLost)
	f("a file and a log that is deleted for long", has(ours, 30), noEntriesForLong, joinLost)
	f("a file and the empty log of its successor", has(ours, 30), logState{first: 31, last: 30, snapshot: snapshot(theirs, ours, 30)}, joinLoad)

	f("an empty file", empty, log, joinLoad)
	f("a single sidehook's file", single, log, joinRefused)
	f("a file of the log", has(ours, 25), log, joinFollow)
	f("a file with all entries", has(ours, 30), log, joinFollow)
	f("a file right before the first entry", has(ours, 10), log, joinFollow)
	f("a file whose next entry is gone", has(ours, 9), log, joinLoad)
	f("a damaged file", with(has(ours, 25), func(s *localState) { s.isLost = true }), log, joinLoad)
	f("a file ahead of the log", has(ours, 31), log, joinLost)
	f("a damaged file ahead of the log", with(has(ours, 31), func(s *localState) { s.isLost = true }), log, joinLost)
	f("a file whose next entry is another", with(has(ours, 25), func(s *localState) { s.differs = true }), log, joinLost)
	f("a file of another log", has(theirs, 25), log, joinRefused)
	f("a file without state of another log", with(has(theirs, 25), func(s *localState) { s.isEmpty = true }), log, joinRefused)
	f("a file that lost the race to begin", has(theirs, 0), log, joinRefused)
	f("an empty file that lost the race to begin", with(has(theirs, 0), func(s *localState) { s.isEmpty = true }), log, joinLoad)
	f("a file that won the race to begin", has(ours, 0), logState{first: 1, last: 3, snapshot: snapshot(ours, none, 0)}, joinFollow)
	seeded := logState{first: 31, last: 40, snapshot: snapshot(ours, theirs, 30)}
	f("a file of the predecessor", has(theirs, 25), seeded, joinLoad)
	f("a file of the predecessor, ahead of the log", has(theirs, 99), seeded, joinLoad)
	f("a file that tried to begin the successor too", with(has(older, 0), func(s *localState) { s.predecessor = theirs }), seeded, joinLoad)
	f("a file that tried to begin the successor of another", with(has(older, 0), func(s *localState) { s.predecessor = older }), seeded, joinRefused)
	f("a file of another log than the predecessor", has(older, 25), seeded, joinRefused)

	bare := logState{first: 11, last: 30}
	f("an empty file and a log without a snapshot", empty, bare, joinWait)
	f("a file and a log without a snapshot", has(ours, 25), bare, joinFollow)
	f("a file that began a log without a snapshot", has(ours, 0), logState{first: 1, last: 30}, joinFollow)
	f("a file that began another log", with(has(ours, 0), func(s *localState) { s.differs = true }), logState{first: 1, last: 30}, joinWait)
	f("a file whose next entry is gone, and no snapshot", has(ours, 9), bare, joinWait)
	f("a file ahead of a log without a snapshot", has(ours, 31), bare, joinLost)
}

func TestNameOfASnapshotSaysWhatItHas(t *testing.T) {
	f := func(p place, predecessor chain) {
		t.Helper()
		name := newSnapshotName(p, predecessor)
		if got, ok := parseSnapshotName(name.text); !ok || got != name {
			t.Errorf("%q is read as %+v", name.text, got)
		}
	}
	f(place{log: chain{0xab}}, chain{})
	f(place{log: chain{1}, index: 1 << 63, number: 1<<64 - 1}, chain{2})
	whole := newSnapshotName(place{log: chain{1}}, chain{2}).text
	for _, other := range []string{"", "backup", "a-b-c-d-e", whole + "-X", whole[1:], strings.Replace(whole, "-0-", "--", 1)} {
		if name, ok := parseSnapshotName(other); ok {
			t.Errorf("%q is read as %+v", other, name)
		}
	}
}
