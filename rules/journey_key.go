package rules

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// maxKeys is how many keys of pages a journey remembers.
const maxKeys = 32

// postedKey is what is known of the page that a request came from, by its key.
type postedKey int

const (
	// noKey: the request has none, or no page with a key was observed.
	noKey postedKey = iota
	// newestKey: the page is the newest that the app has served.
	newestKey
	// supersededKey: the app has served another one since.
	supersededKey
	// unseenKey: the page was not observed. So there may be others.
	unseenKey
)

// String returns the name of what is known.
func (k postedKey) String() string {
	switch k {
	case noKey:
		return "none"
	case newestKey:
		return "newest"
	case supersededKey:
		return "superseded"
	case unseenKey:
		return "unseen"
	}
	return fmt.Sprintf("postedKey(%d)", int(k))
}

// pageKeys are the keys of the pages that the app has served, the newest one last, as
// the first bytes of a digest each.
type pageKeys []uint64

func digestOfKey(key string) uint64 {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint64(sum[:8])
}

// add adds the key of a page that the app has served.
func (k *pageKeys) add(served string) {
	key := digestOfKey(served)
	list := slices.DeleteFunc(*k, func(one uint64) bool { return one == key })
	list = append(list, key)
	*k = list[max(len(list)-maxKeys, 0):]
}

// of returns what is known of the page that a request came from.
func (k pageKeys) of(posted string) postedKey {
	if posted == "" || len(k) == 0 {
		return noKey
	}
	switch i := slices.Index(k, digestOfKey(posted)); i {
	case -1:
		return unseenKey
	case len(k) - 1:
		return newestKey
	}
	return supersededKey
}

// accepted returns what an exchange says whose request came from a page with a key. The
// app ignores one that is superseded, and shows where the participant is. One that was
// not observed may be newer than all that were.
func (j *Journey) accepted(o *Observation) (*Observation, postedKey) {
	key := j.Keys.of(o.Posted)
	if key == noKey || key == newestKey {
		return o, key
	}
	taken := *o
	switch {
	case o.Kind == Completed && o.IsConfirmed:
		j.Partial = true // another exchange came between
		if key == supersededKey {
			taken.Answers, taken.OnPage = nil, false
		}
	case key == supersededKey, o.Kind == Completed:
		isAhead := j.Pointer != "" && o.Page != nil && o.Page.ID != j.Pointer
		j.Partial = j.Partial || isAhead && o.OnPage // the form that led there was not observed
		taken.Kind, taken.Answers, taken.OnPage, taken.Alone, taken.Attempt = Nothing, nil, false, true, sameAttempt
		if o.Page != nil {
			taken.Kind = PageShown
		}
	default:
		j.Partial = true
	}
	return &taken, key
}
