package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

const (
	// durableWait is how long a sighting waits for the other replicas until it is spilled.
	durableWait = 80 * time.Millisecond
	// minPause and maxPause bound the exponential backoff after a failure.
	minPause, maxPause = 100 * time.Millisecond, time.Second
	// leaveTimeout bounds the sending of the last message.
	leaveTimeout = time.Second
	// stopGrace is how long Run goes on after it was asked to stop.
	stopGrace = 5 * time.Second
	// clockLimit is how long what was seen waits for the clock to be compared with those of
	// the others once it could be sent, and clockPause how often it is asked for.
	clockLimit, clockPause = 10 * time.Second, 50 * time.Millisecond
	// lookEvery is how often files are looked for that could not be opened.
	lookEvery = time.Second
	// reportAfter is for how long something waits in the spill until that is logged.
	reportAfter = time.Second
	// maxAppend bounds what is written to the spill at once, in bytes.
	maxAppend = 8 << 20
)

// sender is the one goroutine that sends, and writes the spill. No other goroutine
// touches its fields.
type sender struct {
	seer   *Seer
	packer *packer
	flight *flight
	// link and disk are when to try again.
	link, disk backoff
	// linkError is why something could not be sent last.
	linkError error
	// clockBy is when what was seen is sent even if the clock was not compared, zero before
	// it could be sent.
	clockBy time.Time
	// mustLook is set while there are files of earlier incarnations that are not open.
	mustLook   bool
	lookAt     time.Time
	forgetting []forgetting
	stopBy     time.Time
	logFailure rate.Sometimes
	// spilling is since when something waits in the spill, zero if nothing does, and
	// isReported that this was logged.
	spilling   time.Time
	isReported bool
	draining   draining
}

// backoff is when to try again what has failed.
type backoff struct {
	// pause is 0 unless the last try has failed.
	pause time.Duration
	at    time.Time
}

func (b *backoff) failed() {
	b.pause = min(max(2*b.pause, minPause), maxPause)
	b.at = time.Now().Add(b.pause)
}

func (b *backoff) succeeded() { *b = backoff{} }

func (b *backoff) isDue() bool { return !time.Now().Before(b.at) }

func (w *sender) init(s *Seer) {
	w.seer = s
	w.logFailure.Interval = logEvery
}

// Run makes sightings durable until ctx ends. Then it refuses more, sends what waits,
// or else leaves it in the spill. It returns an error if there was no time for that,
// and must be called once.
func (s *Seer) Run(ctx context.Context) error {
	defer close(s.stopped)
	w := &s.sender
	for w.goesOn(ctx) {
		w.step()
		w.wait(ctx)
	}
	return w.finish()
}

// goesOn reports whether there is something to do, or may be later.
func (w *sender) goesOn(ctx context.Context) bool {
	if ctx.Err() == nil {
		return true
	}
	if w.stopBy.IsZero() {
		w.stopBy = time.Now().Add(stopGrace)
		w.seer.close()
	}
	_, isWaiting := w.seer.oldest()
	_, isCompared := w.seer.clockShift()
	mayDrain := w.hasSpilled() && w.link.pause == 0 && w.seer.link.IsConnected() && isCompared && !w.awaitsOthers()
	return (isWaiting || mayDrain) && time.Now().Before(w.stopBy)
}

// step does what can be done at the moment.
func (w *sender) step() {
	if w.mustLook && !time.Now().Before(w.lookAt) {
		w.openSpills()
	}
	w.forget()
	w.noteDrained()
	if w.flight == nil && w.link.isDue() && !w.awaitsClock() && !w.awaitsOthers() {
		w.send()
	}
	if w.mustSpill() && w.disk.isDue() {
		w.spill()
	}
	w.report()
}

// awaitsClock reports whether the clock should be compared before anything is sent.
func (w *sender) awaitsClock() bool {
	if _, isKnown := w.seer.clockShift(); isKnown || !w.clockBy.IsZero() && time.Now().After(w.clockBy) {
		return false
	}
	if w.clockBy.IsZero() && w.seer.link.IsConnected() {
		w.clockBy = time.Now().Add(clockLimit)
	}
	w.link.at = time.Now().Add(clockPause)
	return true
}

// wait waits until there is something to do.
func (w *sender) wait(ctx context.Context) {
	timer := time.NewTimer(time.Until(w.next()))
	defer timer.Stop()
	stopping := ctx.Done()
	if !w.stopBy.IsZero() {
		stopping = nil
	}
	var ended chan error
	if w.flight != nil {
		ended = w.flight.ended
	}
	select {
	case err := <-ended:
		w.land(err)
	case f := <-w.seer.forgets:
		w.forgetting = append(w.forgetting, f)
	case <-w.seer.wake:
	case <-timer.C:
	case <-stopping:
	}
}

// next is when there is something to do at the latest.
func (w *sender) next() time.Time {
	next := time.Now().Add(logEvery)
	earlier := func(t time.Time) {
		if t.Before(next) {
			next = t
		}
	}
	since, isWaiting := w.seer.oldest()
	if w.flight == nil && (isWaiting || w.hasSpilled()) {
		earlier(w.link.at)
	}
	if isWaiting {
		due := since.Add(durableWait)
		if w.flight != nil && w.flight.began.Add(durableWait).Before(due) {
			due = w.flight.began.Add(durableWait)
		}
		if due.Before(w.disk.at) || w.mustSpill() {
			due = w.disk.at
		}
		earlier(due)
	}
	if w.mustLook {
		earlier(w.lookAt)
	}
	if !w.stopBy.IsZero() {
		earlier(w.stopBy)
	}
	return next
}

// land takes the result of the flight.
func (w *sender) land(err error) {
	f := w.flight
	w.flight = nil
	if err != nil {
		w.link.failed()
		w.linkError = err
		return
	}
	w.link.succeeded()
	w.linkError = nil
	w.settle(f)
	w.draining.landed(f)
}

// settle notes that what a flight has is seen by all.
func (w *sender) settle(f *flight) {
	s, b := w.seer, f.backlog
	s.mu.Lock()
	b.seen(f.sightings)
	b.acked = max(b.acked, f.last)
	if b == s.own {
		n := 0
		for n < len(s.queue) && s.queue[n].K <= f.last {
			n++
		}
		s.release(n)
	}
	acked := b.acked
	s.mu.Unlock()
	if b.spill == nil {
		return
	}
	b.spill.start = max(b.spill.start, f.next)
	if b.isEmptyUpTo(acked) {
		w.drained(b)
	}
}

// hasSpilled reports whether something of a spill is to be sent.
func (w *sender) hasSpilled() bool {
	b := w.first()
	return b != w.seer.own || !b.isEmptyUpTo(b.acked)
}

// finish ends the flight and closes the spill.
func (w *sender) finish() error {
	if w.flight != nil {
		w.flight.cancel()
		w.land(<-w.flight.ended)
	}
	if _, isWaiting := w.seer.oldest(); isWaiting {
		w.spill()
	}
	for _, f := range w.forgetting {
		f.done <- errStopped
	}
	w.leave()
	w.closeSpills()
	s := w.seer
	s.mu.Lock()
	defer s.mu.Unlock()
	if lost := len(s.queue); lost > 0 {
		s.counts.lost += uint64(lost)
		return fmt.Errorf("%d observations could neither be sent to the other replicas nor be written to the disk", lost)
	}
	return nil
}

// leave sends the last message, unless something is left behind. Whoever leads need not wait
// for this replica then, even if it was down when this one ended.
func (w *sender) leave() {
	_, isWaiting := w.seer.oldest()
	if isWaiting || w.hasSpilled() || w.mustLook || !w.seer.link.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	_ = w.seer.link.See(ctx, newPacker(w.seer.incarnation, w.seer.link.MaxMessage()).message())
}

// close refuses further sightings.
func (s *Seer) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.isClosed = true
}

// failed logs what cannot be done with the disk.
func (w *sender) failed(what string, err error) {
	w.logFailure.Do(func() { w.seer.log.Error(what, "error", err, "waiting", w.seer.Status().Waiting) })
}

var errStopped = errors.New("this replica is stopping")
