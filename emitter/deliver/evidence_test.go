package deliver

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

func TestEvidenceOfAnAttempt(t *testing.T) {
	f := func(attempts int, r send.Result, want evidence) {
		t.Helper()
		d := &outbox.Delivery{Progress: outbox.Progress{Attempts: attempts}}
		if got := evidenceOf(attempted{delivery: d, result: r}); got != want {
			t.Errorf("%s after %d attempts: %s, want %s", r.Reason, attempts, got, want)
		}
	}
	f(0, ok200, working)
	f(3, ok200, working)
	f(0, fail422, working)
	f(0, aborted, working)
	f(0, fail410, working)
	f(0, fail429, neutral)
	f(0, ours, neutral)
	f(0, fail500, failedFirst)
	f(0, fail404, failedFirst)
	f(1, fail500, failedAgain)
	f(0, refused, noConnection)
	f(1, refused, noConnection)
}

func TestSuspicionOfATarget(t *testing.T) {
	type failure struct {
		evidence    evidence
		participant uint64
	}
	f := func(failures uint32, isDown, isGeneral bool, all ...failure) {
		t.Helper()
		var s suspicion
		for _, one := range all {
			s.add(one.evidence, one.participant, failures)
		}
		if s.isDown(failures) != isDown || s.isGeneral() != isGeneral {
			t.Errorf("%v with a limit of %d: down %t, general %t; want %t, %t", all, failures, s.isDown(failures), s.isGeneral(), isDown, isGeneral)
		}
	}
	f(2, false, false)
	f(2, false, true, failure{noConnection, 1})
	f(2, true, true, failure{noConnection, 1}, failure{noConnection, 1})
	f(2, false, false, failure{failedFirst, 1}, failure{failedFirst, 1})
	f(2, true, true, failure{failedFirst, 1}, failure{failedFirst, 2})
	f(2, false, true, failure{failedFirst, 1}, failure{failedAgain, 2})
	f(2, true, true, failure{failedFirst, 1}, failure{noConnection, 1})
	f(2, false, false, failure{failedFirst, 1}, failure{working, 3}, failure{failedFirst, 2})
	f(2, true, true, failure{failedFirst, 1}, failure{neutral, 3}, failure{failedFirst, 2})
	f(1, false, false, failure{failedFirst, 1})
	f(1, true, true, failure{failedFirst, 1}, failure{failedFirst, 2})
	f(1, true, true, failure{noConnection, 1})
}

func TestTransitionsOfABreaker(t *testing.T) {
	const first = time.Second
	// Each piece of evidence is of another participant's attempt, a moment after the last one.
	f := func(want admission, wantContact contact, wantWait time.Duration, all ...evidence) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			b := newBreaker(config.Breaker{Failures: 2, Open: config.Duration(first), MaxOpen: config.Duration(time.Minute)})
			for i, e := range all {
				p, err := b.allow()
				if err != nil {
					t.Fatal(err)
				}
				b.report(p, e, uint64(i))
				time.Sleep(2 * time.Nanosecond)
			}
			admits, _ := b.admits(time.Now())
			if admits != want || b.contact != wantContact || b.openFor != wantWait {
				t.Errorf("%v: admits %s, contact %s, waits %s; want %s, %s, %s", all, admits, b.contact, b.openFor, want, wantContact, wantWait)
			}
			if time.Sleep(b.openFor); b.isClosed() {
				return
			}
			afterwards := map[contact]admission{kept: admitsDue, lost: admitsAny}[wantContact]
			if admits, _ := b.admits(time.Now()); admits != afterwards {
				t.Errorf("%v: admits %s after the wait, want %s", all, admits, afterwards)
			}
		})
	}
	f(admitsDue, kept, 0)
	f(admitsDue, kept, 0, failedFirst)
	f(admitsDue, kept, 0, failedFirst, working, failedFirst)
	f(admitsDue, kept, 0, failedAgain, failedAgain, failedAgain)
	f(admitsNew, kept, first, failedFirst, failedFirst)
	f(admitsNew, kept, first, noConnection, failedFirst)
	f(admitsNone, lost, first, failedFirst, noConnection)
	f(admitsNone, lost, first, noConnection, noConnection)

	f(admitsNew, kept, first, failedFirst, failedFirst, failedFirst, failedFirst)
	f(admitsNew, kept, 2*first, failedFirst, failedFirst, failedAgain)
	f(admitsNone, lost, 2*first, failedFirst, failedFirst, noConnection)
	f(admitsNew, kept, first, failedFirst, failedFirst, neutral)
	f(admitsNone, lost, 2*first, noConnection, noConnection, noConnection)
	f(admitsNone, lost, first, noConnection, noConnection, neutral)
	f(admitsNew, kept, first, noConnection, noConnection, noConnection, failedFirst)
	f(admitsNew, kept, first, noConnection, noConnection, noConnection, failedAgain)
	f(admitsNew, kept, 2*first, noConnection, noConnection, noConnection, failedFirst, failedAgain)

	f(admitsDue, kept, 0, failedFirst, failedFirst, working)
	f(admitsDue, lost, 0, noConnection, noConnection, working)
	f(admitsDue, lost, 0, noConnection, noConnection, working, failedFirst)
}

func TestAnAttemptThatBeganBeforeTheBreakerOpenedSaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBreaker(config.Breaker{Failures: 2, Open: config.Duration(time.Second), MaxOpen: config.Duration(time.Minute)})
		early, err := b.allow()
		if err != nil {
			t.Fatal(err)
		}
		b.open()
		b.report(early, working, 1)
		if b.isClosed() || b.suspicion.isGeneral() {
			t.Error("it closed the breaker")
		}
	})
}
