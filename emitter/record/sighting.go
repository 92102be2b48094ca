package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// sightingVersion is the first byte of an encoded sighting.
const sightingVersion = 1

var (
	errNewerSighting   = errors.New("a newer release has written it")
	errDamagedSighting = errors.New("it is damaged")
)

// sighting is what one replica saw of an exchange, for the leader.
type sighting struct {
	// Began is when the exchange began, by the clock of its replica.
	Began time.Time
	// Newcomer is the participant that the app has just created, empty for none.
	Newcomer string `json:",omitempty"`
	// Observation is nil if the exchange says nothing else. Its tickets are those of
	// ticketOf, and Alone and InFlight say what its replica knew.
	Observation *rules.Observation `json:",omitempty"`
}

// move adds to the times that its replica has told.
func (s *sighting) move(shift time.Duration) {
	s.Began = s.Began.Add(shift)
	if o := s.Observation; o != nil {
		o.At = o.At.Add(shift)
	}
}

// encode returns the data of a sighting.
func (s *sighting) encode() ([]byte, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("cannot encode what was seen: %w", err)
	}
	return append([]byte{sightingVersion}, data...), nil
}

// decodeSighting is the inverse of encode. The participant of the observation comes
// from beside the data: JSON has no bytes that are not UTF-8.
func decodeSighting(participant string, data []byte) (sighting, error) {
	var s sighting
	switch {
	case len(data) == 0:
		return s, errDamagedSighting
	case data[0] != sightingVersion:
		return s, errNewerSighting
	case json.Unmarshal(data[1:], &s) != nil:
		return sighting{}, errDamagedSighting
	}
	if s.Newcomer != "" {
		s.Newcomer = participant
	}
	if s.Observation != nil {
		s.Observation.Journey.Participant = participant
		if s.Observation.Via != (rules.Key{}) {
			s.Observation.Via.Participant = participant
		}
	}
	return s, nil
}
