package demo

import "strings"

const (
	// maxLogSize bounds the log, in bytes; beyond it, the oldest participants are
	// forgotten.
	maxLogSize = 256 << 20
	// eventOverhead is an estimate of what an event takes beside its texts, in bytes.
	eventOverhead = 128
)

// eventLog holds the events of all participants.
type eventLog struct {
	participants map[string]participant // by id in lower case, as Decsys compares them
	arrived      []string               // keys of participants, oldest first
	size         int
}

func newEventLog() eventLog {
	return eventLog{participants: map[string]participant{}}
}

// of returns the events of a participant; nil if there are none.
func (l *eventLog) of(id string) participant {
	return l.participants[strings.ToLower(id)]
}

// add stores an event, and forgets the oldest participants if the log is full.
func (l *eventLog) add(id string, e event) {
	key := strings.ToLower(id)
	if _, known := l.participants[key]; !known {
		l.arrived = append(l.arrived, key)
	}
	l.participants[key] = append(l.participants[key], e)
	l.size += e.size()
	for l.size > maxLogSize {
		l.forgetOldest()
	}
}

func (l *eventLog) forgetOldest() {
	for _, e := range l.participants[l.arrived[0]] {
		l.size -= e.size()
	}
	delete(l.participants, l.arrived[0])
	l.arrived = l.arrived[1:]
}
