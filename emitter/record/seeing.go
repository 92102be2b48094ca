package record

import (
	"time"

	"github.com/sidehook/sidehook/rules"
)

// see hands what an exchange says to the leader, and a participant that the app has
// just created: the first page may be asked for at another replica. It is called within
// flights.end, so that sightings are numbered in the order in which exchanges end.
func (r *Recorder) see(f *flight, o *rules.Observation, newcomer string) (durable []<-chan struct{}, isLost bool) {
	s := sighting{Began: r.now().Add(-time.Since(f.began)), Newcomer: newcomer}
	if newcomer != "" && (o == nil || o.Journey.Participant != newcomer) {
		durable, isLost = r.hand(s, newcomer, r.now())
		s.Newcomer = ""
	}
	if o == nil {
		return durable, isLost
	}
	seen := *o
	seen.Ticket = r.ticket(o.Ticket)
	if o.Kind.Moves() {
		seen.InFlight, seen.InFlightItems = r.flights.awaitAnswers(o.Journey)
		for i, ticket := range seen.InFlight {
			seen.InFlight[i] = r.ticket(ticket)
		}
	}
	s.Observation = &seen
	done, isLostToo := r.hand(s, o.Journey.Participant, r.flights.memories.inOrder(f.match.Participant(), o.At))
	return append(durable, done...), isLost || isLostToo
}

// hand hands one sighting over.
func (r *Recorder) hand(s sighting, participant string, at time.Time) (durable []<-chan struct{}, isLost bool) {
	data, err := s.encode()
	if err != nil { // a year past 9999
		return nil, true
	}
	done, ok := r.replicas.Seer.See(participant, at, data)
	if !ok {
		return nil, true
	}
	return []<-chan struct{}{done}, false
}

func (r *Recorder) ticket(ticket uint64) uint64 {
	return ticketOf(r.replicas.Seer.Incarnation(), ticket)
}
