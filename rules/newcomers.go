package rules

// maxNewcomers bounds the newcomers that are remembered; the oldest makes room.
const maxNewcomers = 10_000

// Newcomers remembers the participants that the app has just created, until each
// is observed for the first time: those have no past. Its zero value is empty. It
// is not safe for concurrent use.
type Newcomers struct {
	known map[string]struct{}
	// ring has the participants in the order of their creation, from next on.
	ring []string
	next int
}

// Add adds a participant.
func (n *Newcomers) Add(participant string) {
	if n.known == nil {
		n.known = map[string]struct{}{}
	}
	if len(n.ring) < maxNewcomers {
		n.ring = append(n.ring, participant)
	} else {
		delete(n.known, n.ring[n.next])
		n.ring[n.next] = participant
		n.next = (n.next + 1) % maxNewcomers
	}
	n.known[participant] = struct{}{}
}

// Take removes a participant and reports whether it was there.
func (n *Newcomers) Take(participant string) bool {
	_, known := n.known[participant]
	delete(n.known, participant)
	return known
}
