package deliver

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

func TestAStandingMakesOnlyItsTransitions(t *testing.T) {
	now := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	disableForFailing := func(s *standing) { s.disable(outbox.CauseFailing, now) }
	disableByHand := func(s *standing) { s.disable(outbox.CauseOperator, now) }
	aDayLater := func(s *standing) { s.beginTrial(now.Add(trialInterval)) }
	f := func(want standingState, wantTrial time.Time, steps ...func(*standing)) {
		t.Helper()
		var s standing
		for _, step := range steps {
			step(&s)
		}
		if s.state != want || !s.trialAt.Equal(wantTrial) {
			t.Errorf("%s with a trial at %s, want %s and %s", s.state, s.trialAt, want, wantTrial)
		}
	}
	f(enabled, time.Time{})
	f(disabled, now.Add(trialInterval), disableForFailing)
	f(disabled, time.Time{}, disableByHand)
	f(disabled, now.Add(trialInterval), disableForFailing, func(s *standing) { s.beginTrial(now) })
	f(onTrial, now.Add(trialInterval), disableForFailing, aDayLater)
	f(disabled, time.Time{}, disableByHand, aDayLater)
	f(disabled, now, disableForFailing, func(s *standing) { s.tryNow(now) })
	f(disabled, time.Time{}, disableByHand, func(s *standing) { s.tryNow(now) })
	f(disabled, now.Add(3*trialInterval), disableForFailing, aDayLater, func(s *standing) { s.endTrial(now.Add(2 * trialInterval)) })
	f(enabled, time.Time{}, func(s *standing) { s.endTrial(now) })
	f(enabled, time.Time{}, disableForFailing, aDayLater, (*standing).enable)
	f(disabled, time.Time{}, disableForFailing, aDayLater, disableByHand)
}

func TestATargetsHealthMakesOnlyItsTransitions(t *testing.T) {
	// Each outcome is of one attempt; the clock moves on to the next probe between them.
	f := func(outcomes []send.Outcome, want transition, wantState State) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			target := config.Target{Breaker: config.Breaker{Failures: 2, Open: config.Duration(time.Second), MaxOpen: config.Duration(time.Minute)}}
			h := newHealth("crm", target, slog.New(slog.DiscardHandler), func(func(*outbox.Tx)) {})
			var got transition
			for i, outcome := range outcomes {
				time.Sleep(max(0, time.Until(h.breaker.probeAt)) + 2)
				p, err := h.allow()
				if err != nil {
					t.Fatal(err)
				}
				a := attempted{delivery: &outbox.Delivery{Participant: uint64(i)}, result: send.Result{Outcome: outcome}, permit: p}
				got = h.report(a, decision{}, time.Now())
			}
			state, _ := h.state(time.Now())
			if got != want || state != wantState {
				t.Errorf("%v: %s and now %s, want %s and %s", outcomes, got, state, want, wantState)
			}
		})
	}
	f([]send.Outcome{send.Delivered}, unchanged, Up)
	f([]send.Outcome{send.Retry}, unchanged, Failing)
	f([]send.Outcome{send.Retry, send.Delivered}, unchanged, Up)
	f([]send.Outcome{send.Rejected}, unchanged, Up)
	f([]send.Outcome{send.Retry, send.Rejected, send.Retry}, unchanged, Failing)
	f([]send.Outcome{send.Retry, send.Ours, send.Retry}, wentDown, Down)
	f([]send.Outcome{send.Retry, send.Retry}, wentDown, Down)
	f([]send.Outcome{send.Retry, send.Retry, send.Retry}, unchanged, Down)
	f([]send.Outcome{send.Retry, send.Retry, send.Ours}, unchanged, Down)
	f([]send.Outcome{send.Retry, send.Retry, send.Throttled}, unchanged, Held)
	f([]send.Outcome{send.Retry, send.Retry, send.Rejected}, cameUp, Failing)
	f([]send.Outcome{send.Retry, send.Retry, send.Retry, send.Delivered}, cameUp, Up)
	f([]send.Outcome{send.Retry, send.Retry, send.Aborted}, cameUp, Failing)
	f([]send.Outcome{send.Gone}, unchanged, Disabled)
}

func TestStatesHaveNames(t *testing.T) {
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f(Up.String(), "up")
	f(Down.String(), "down")
	f(Held.String(), "held")
	f(Disabled.String(), "disabled")
	f(onTrial.String(), "on trial")
	f(cameUp.String(), "came up")
	f(free.String(), "free")
}

// An operator hears of a target that fails from its first failure on, once, and that
// it is over.
func TestAFailingTargetIsLoggedOnceAndItsRecoveryToo(t *testing.T) {
	var log bytes.Buffer
	h := newHealth("crm", config.Target{Breaker: config.Breaker{Failures: 5}}, slog.New(slog.NewTextHandler(&log, nil)), func(func(*outbox.Tx)) {})
	f := func(outcome send.Outcome, want ...string) {
		t.Helper()
		log.Reset()
		p, err := h.allow()
		if err != nil {
			t.Fatal(err)
		}
		h.report(attempted{delivery: &outbox.Delivery{}, result: send.Result{Outcome: outcome, Reason: "status 500"}, permit: p}, decision{}, time.Now())
		if lines := strings.Count(log.String(), "\n"); lines != len(want) || len(want) > 0 && !strings.Contains(log.String(), want[0]) {
			t.Errorf("%v: the log has %q, want %q", outcome, log.String(), want)
		}
	}
	f(send.Delivered)
	f(send.Rejected)
	f(send.Retry, `level=WARN msg="target fails, its deliveries are retried" reason="status 500"`)
	f(send.Retry)
	f(send.Delivered, `level=INFO msg="target accepted a delivery again"`)
	f(send.Delivered)
}
