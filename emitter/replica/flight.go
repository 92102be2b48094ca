package replica

import (
	"context"
	"time"
)

// flightTimeout bounds the sending of what was packed at once.
const flightTimeout = 2 * time.Second

// flight is what is on its way to the other replicas.
type flight struct {
	backlog *backlog
	// messages is more than one for a sighting that is too long for one.
	messages [][]byte
	// sightings are what they have; last is the K of the last one.
	sightings []sighted
	last      uint64
	// at is when the latest of them was seen, bytes what they take in a spill.
	at    time.Time
	bytes int64
	// next is where the spill goes on behind what was read of it, 0 if nothing was.
	next  int64
	began time.Time
	// ended gets the result.
	ended  chan error
	cancel context.CancelFunc
}

// pack adds a sighting to the content of the flight. It returns false if there is no
// room. One that never fits is passed over, and reported by an error.
func (f *flight) pack(p *packer, s *Sighting, isSpilled bool) (ok bool, err error) {
	if isOfParts := len(f.messages) > 0; isOfParts {
		return false, nil
	}
	if !p.add(s) {
		if !p.isEmpty {
			return false, nil
		}
		f.messages, err = p.parts(s)
	}
	f.sightings = append(f.sightings, sighted{k: s.K, participant: s.Participant, size: spilledSize(s), isSpilled: isSpilled})
	f.last, f.bytes = s.K, f.bytes+spilledSize(s)
	if s.At.After(f.at) {
		f.at = s.At
	}
	return true, err
}

// start sends the messages, one after the other.
func (f *flight) start(link SeenLink) {
	ctx, cancel := context.WithTimeout(context.Background(), flightTimeout)
	f.began, f.ended, f.cancel = time.Now(), make(chan error, 1), cancel
	go func() {
		defer cancel()
		for _, message := range f.messages {
			if err := link.See(ctx, message); err != nil {
				f.ended <- err
				return
			}
		}
		f.ended <- nil
	}()
}

// has reports whether something of a participant is on its way.
func (f *flight) has(participant string) bool {
	for _, s := range f.sightings {
		if s.participant == participant {
			return true
		}
	}
	return false
}
