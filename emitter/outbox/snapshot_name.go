package outbox

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

const (
	// snapshotFields is the number of fields of a name.
	snapshotFields = 5
	// snapshotEnd is the length of the random end of a name.
	snapshotEnd = 6
)

// snapshotName is what the name of a snapshot says; that of none is zero.
type snapshotName struct {
	text string
	// log is the log that it is of, predecessor the one whose files it may replace too,
	// zero if there is none.
	log, predecessor chain
	// index and number are those of the last entry that it has.
	index, number uint64
}

// newSnapshotName returns a name that no other snapshot has.
func newSnapshotName(p place, predecessor chain) snapshotName {
	text := fmt.Sprintf("%x-%x-%d-%d-%s", p.log, predecessor, p.index, p.number, rand.Text()[:snapshotEnd])
	return snapshotName{text: text, log: p.log, predecessor: predecessor, index: p.index, number: p.number}
}

// parseSnapshotName reads a name; ok is false for that of something else.
func parseSnapshotName(text string) (name snapshotName, ok bool) {
	fields := strings.Split(text, "-")
	if len(fields) != snapshotFields {
		return snapshotName{}, false
	}
	name.text = text
	for n, to := range []*chain{&name.log, &name.predecessor} {
		id, err := hex.DecodeString(fields[n])
		if err != nil || len(id) != len(to) {
			return snapshotName{}, false
		}
		copy(to[:], id)
	}
	for n, to := range []*uint64{&name.index, &name.number} {
		var err error
		if *to, err = strconv.ParseUint(fields[2+n], 10, 64); err != nil {
			return snapshotName{}, false
		}
	}
	return name, name.log != (chain{})
}

// isNone reports that there is no snapshot.
func (n snapshotName) isNone() bool { return n.text == "" }
