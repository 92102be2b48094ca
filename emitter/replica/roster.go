package replica

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// helloEvery is how often a replica says hello.
	helloEvery = 250 * time.Millisecond
	// Presence is how long a replica that is not heard counts as one that is there, and is
	// waited for.
	Presence = 30 * time.Second
	// silence is after how long a replica has stopped if another one has its name.
	silence = 2 * time.Second
	// knownAfter is how long a replica listens until it has heard all others. None leads
	// sooner: that takes as long a silence of the leader.
	knownAfter = 2 * time.Second
	// maxGap is how long a replica may not hear itself and still be taken to listen.
	maxGap = 4 * helloEvery
	// overlap is how long two replicas of one name are taken for a restart.
	overlap = 10 * time.Second
	// maxMembers bounds how many replicas are known.
	maxMembers = 256
)

// RosterLink is what a Roster needs of a Link.
type RosterLink interface {
	Tell(topic string, message []byte) error
	Hear(ctx context.Context, topic string, fn func(message []byte)) error
}

// RosterOptions are the settings of a Roster.
type RosterOptions struct {
	Link RosterLink
	// Name is that of the replica, Incarnation that of its Seer.
	Name, Incarnation string
	// Extra returns what the others are told beside that, at most 64 KiB. It may be nil.
	Extra func() []byte
	// Dir is where the correction of the clock is kept, empty for nowhere.
	Dir string
	// HasUnseen reports whether the replica leaves something behind when it ends: then the
	// others wait for it to come back. It may be nil.
	HasUnseen func() bool
	// DrainedTo is that of the Seer. It may be nil.
	DrainedTo func() time.Time
	// Now is the clock that is told; nil stands for time.Now.
	Now    func() time.Time
	Logger *slog.Logger
}

// Roster knows which replicas there are.
type Roster struct {
	options RosterOptions
	log     *slog.Logger
	started time.Time
	warn    rate.Sometimes
	// greeting has a token when a hello should not wait.
	greeting chan struct{}

	mu      sync.Mutex
	members map[string]*member
	// left has the incarnations that took their leave last, oldest first.
	left  []string
	clock sharedClock
	// listened is for how long it has heard itself, so surely all others too. All times
	// of silence are measured by it: nobody is forgotten for our own bad line.
	listened time.Duration
	// since and last are when it began to hear itself without a gap, and did so lately.
	since, last time.Time
	// sayings are what is logged once the lock is not held.
	sayings []func()
}

// Member is a replica.
type Member struct {
	Name, Incarnation string
	// IsSelf is set for the replica that asks.
	IsSelf bool
	// Silent is for how long it was not heard.
	Silent time.Duration
	// Extra is what it tells beside that.
	Extra []byte
}

type member struct {
	Member
	started time.Time
	// first and heard are when it was heard, as listened of the Roster; lastHeard is the
	// latter by the clock.
	first, heard time.Duration
	lastHeard    time.Time
	// told is what its clock showed then, by itself.
	told      time.Time
	offset    Offset
	drainedTo time.Time
}

// NewRoster returns a Roster that knows nobody but its own replica.
func NewRoster(options RosterOptions) *Roster {
	if options.Now == nil {
		options.Now = time.Now
	}
	r := &Roster{
		options: options, log: cmp.Or(options.Logger, slog.Default()), started: options.Now(),
		members: map[string]*member{}, warn: rate.Sometimes{Interval: logEvery}, greeting: make(chan struct{}, 1),
	}
	if options.Dir != "" {
		if err := r.clock.load(options.Dir, r.started); err != nil {
			r.log.Warn("cannot read how the clock was corrected", "error", err)
		}
	}
	return r
}

// Run says hello, and hears the others, until ctx ends. Then it takes its leave.
func (r *Roster) Run(ctx context.Context) error {
	var hearing sync.WaitGroup
	hearing.Go(func() {
		for ctx.Err() == nil {
			if err := r.options.Link.Hear(ctx, helloTopic, r.hear); err != nil && ctx.Err() == nil {
				sleep(ctx, helloEvery)
			}
		}
	})
	for ctx.Err() == nil {
		r.tell(kindHello)
		r.awaitHello(ctx)
	}
	hearing.Wait()
	if r.options.HasUnseen == nil || !r.options.HasUnseen() {
		r.tell(kindLeave)
	}
	return nil
}

// awaitHello waits until it is time to say hello.
func (r *Roster) awaitHello(ctx context.Context) {
	timer := time.NewTimer(helloEvery)
	defer timer.Stop()
	select {
	case <-r.greeting:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Present returns the replicas that were heard in the last 30 seconds, by name, and this one
// until it leaves.
func (r *Roster) Present() (all []Member) {
	self := Member{Name: r.options.Name, Incarnation: r.options.Incarnation, IsSelf: true, Extra: r.extra()}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.left, self.Incarnation) {
		all = append(all, self)
	}
	for _, m := range r.members {
		if r.listened-m.heard < Presence {
			one := m.Member
			one.Silent = time.Since(m.lastHeard)
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b Member) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Incarnation, b.Incarnation))
	})
	return all
}

// Expect has replicas be waited for that another one has heard, until they were silent for
// long, their silence before included. Those are left out that have taken their leave, or
// begun anew.
func (r *Roster) Expect(heard []Member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := map[string]bool{r.options.Name: true}
	for _, m := range r.members {
		names[m.Name] = true
	}
	for _, m := range heard {
		if names[m.Name] || slices.Contains(r.left, m.Incarnation) || len(r.members) >= maxMembers {
			continue
		}
		one := &member{first: r.listened, heard: r.listened - m.Silent, lastHeard: time.Now().Add(-max(m.Silent, silence))}
		one.Name, one.Incarnation = m.Name, m.Incarnation
		r.members[m.Incarnation] = one
	}
}

// Leave has a replica not be waited for any more: it has ended, and left nothing behind.
func (r *Roster) Leave(incarnation string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave(incarnation)
}

// DrainedTo returns the time up to which all other replicas have sent what they saw, zero if
// nothing waits in their spills. isKnown is false while one that was heard in the last 30
// seconds is not heard: it may have anything.
func (r *Roster) DrainedTo() (earliest time.Time, isKnown bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isKnown() {
		return time.Time{}, false
	}
	for _, m := range r.members {
		if m.Name == r.options.Name {
			continue // what an earlier run has left is this one's
		}
		if time.Since(m.lastHeard) > maxGap {
			return time.Time{}, false
		}
		if isEarlier := earliest.IsZero() || m.drainedTo.Before(earliest); isEarlier && !m.drainedTo.IsZero() {
			earliest = m.drainedTo
		}
	}
	return earliest, true
}

// IsKnown reports whether Present has all that can be heard: it has listened for long enough.
func (r *Roster) IsKnown() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.isKnown()
}

func (r *Roster) isKnown() bool { return r.hearsItself() && time.Since(r.since) >= knownAfter }

func (r *Roster) hearsItself() bool { return !r.last.IsZero() && time.Since(r.last) <= maxGap }

func (r *Roster) extra() []byte {
	if r.options.Extra == nil {
		return nil
	}
	extra := r.options.Extra()
	if len(extra) > maxExtra {
		return nil
	}
	return extra
}

// tell says hello, or leave. If nobody hears it, this replica does not either.
func (r *Roster) tell(kind byte) {
	h := hello{
		kind: kind, name: r.options.Name, incarnation: r.options.Incarnation,
		started: r.started, extra: r.extra(),
	}
	if r.options.DrainedTo != nil {
		h.drainedTo = r.options.DrainedTo()
	}
	h.echoes, h.clock = r.echoes(), r.options.Now()
	_ = r.options.Link.Tell(helloTopic, h.encode())
}

// echoes returns what is told to those who were heard lately.
func (r *Roster) echoes() (echoes []echo) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.members {
		if held := time.Since(m.lastHeard); held < silence {
			echoes = append(echoes, echo{incarnation: m.Incarnation, clock: m.told, held: held})
		}
	}
	return echoes
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
