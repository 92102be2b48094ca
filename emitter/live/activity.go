package live

import (
	"errors"
	"sync"
	"time"
)

const (
	// maxSubscriptions is how many can look at once.
	maxSubscriptions = 32
	// subscriptionSize is how many entries a Subscription holds.
	subscriptionSize = 256
)

// ErrBusy reports that as many look at the feed as can.
var ErrBusy = errors.New("too many look at what happens: close another console")

// Activity is what happens right now. What is noted in a nil Activity is not kept. It
// is safe for concurrent use.
type Activity struct {
	now func() time.Time

	mu      sync.Mutex
	minutes minutes
	// targets has the attempts of each target; their names are configured.
	targets       map[string]*minutes
	participants  participants
	subscriptions map[*Subscription]struct{}
}

// New returns an Activity in which nothing has happened yet.
func New() *Activity {
	a := &Activity{now: time.Now, targets: map[string]*minutes{}, subscriptions: map[*Subscription]struct{}{}}
	a.participants.since = a.now()
	return a
}

// Seen notes an exchange of a participant, whose hash is the same in each.
func (a *Activity) Seen(participant uint64) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.participants.add(participant, a.now())
}

// Recorded notes that an event is on disk.
func (a *Activity) Recorded(e Entry) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	a.minutes.at(now).Events++
	e.Kind = Event
	a.publish(&e, now)
}

// Attempted notes the end of an attempt.
func (a *Activity) Attempted(e Entry) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	ofTarget := a.targets[e.Target]
	if ofTarget == nil {
		ofTarget = &minutes{}
		a.targets[e.Target] = ofTarget
	}
	for _, m := range []*minutes{&a.minutes, ofTarget} {
		if e.Outcome == delivered {
			m.at(now).Delivered++
		} else {
			m.at(now).Failed++
		}
	}
	e.Kind = Attempt
	a.publish(&e, now)
}

// publish offers an entry to all who look.
func (a *Activity) publish(e *Entry, now time.Time) {
	e.At = now
	for s := range a.subscriptions {
		s.offer(e)
	}
}

// Snapshot is what an Activity says of the last hour.
type Snapshot struct {
	// Minutes are those of the last hour, oldest first; the last one is not over.
	Minutes []Minute `json:"minutes"`
	// Targets sums up the attempts of each target in the last hour.
	Targets map[string]Minute `json:"-"`
	// Now estimates how many participants were active in the last five minutes, and
	// Today how many were since midnight UTC, or since Since if that is later.
	Now   int       `json:"participants_now"`
	Today int       `json:"participants_today"`
	Since time.Time `json:"since"`
}

// Snapshot returns what has happened.
func (a *Activity) Snapshot() Snapshot {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	recent, today := a.participants.estimate(now)
	targets := map[string]Minute{}
	for name, minutes := range a.targets {
		total := minutes.sum(now)
		if total.Delivered+total.Failed == 0 { // it may not be configured any more
			delete(a.targets, name)
			continue
		}
		targets[name] = total
	}
	return Snapshot{Minutes: a.minutes.last(now), Targets: targets, Now: recent, Today: today, Since: a.participants.since}
}

// Subscribe returns a Subscription to the entries that filter selects, from now on.
// It returns ErrBusy where there are too many. The caller ends it with Close.
func (a *Activity) Subscribe(filter Filter) (*Subscription, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.subscriptions) >= maxSubscriptions {
		return nil, ErrBusy
	}
	s := &Subscription{activity: a, filter: filter, entries: make(chan Entry, subscriptionSize)}
	a.subscriptions[s] = struct{}{}
	return s, nil
}

// Subscription is somebody who looks at the feed.
type Subscription struct {
	activity *Activity
	filter   Filter
	entries  chan Entry
	missed   int // guarded by activity.mu
}

// offer adds an entry unless the subscription is full. activity.mu is held.
func (s *Subscription) offer(e *Entry) {
	if !s.filter.Matches(e) {
		return
	}
	select {
	case s.entries <- *e:
	default:
		s.missed++
	}
}

// Take returns the entries that have come since the last call, oldest first, at
// most limit, and how many more there were.
func (s *Subscription) Take(limit int) (entries []Entry, missed int) {
	s.activity.mu.Lock()
	defer s.activity.mu.Unlock()
	missed, s.missed = s.missed, 0
	for len(s.entries) > 0 {
		if e := <-s.entries; len(entries) < limit {
			entries = append(entries, e)
		} else {
			missed++
		}
	}
	return entries, missed
}

// Close ends the subscription.
func (s *Subscription) Close() {
	s.activity.mu.Lock()
	defer s.activity.mu.Unlock()
	delete(s.activity.subscriptions, s)
}
