package record

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/rules"
)

// onPageOne calls test with a participant who looks at the first page. Events wait half a
// second for answers.
func onPageOne(t *testing.T, test func(s *scenario)) {
	dir := memoryDir(t)
	synctest.Test(t, func(t *testing.T) {
		s := &scenario{dir: dir}
		s.open(t)
		s.settle = 500 * time.Millisecond
		s.get(showPage1)
		s.load("one")
		test(s)
	})
}

// The participant clicks Next while an answer is in flight.
func TestAnEventWaitsForAnAnswerInFlightAndTheParticipantDoesNot(t *testing.T) {
	accepted := rules.Exchange{Status: 204, RequestBody: []byte(`{"text":"late"}`)}
	f := func(name string, answer rules.Exchange, endsAt, wantAt time.Duration, want string, wantPartial bool) {
		t.Run(name, func(t *testing.T) {
			onPageOne(t, func(s *scenario) {
				endAnswer := s.begin("POST", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")
				began := time.Now()
				s.next(showPage2)
				if waited := time.Since(began); waited != 0 {
					t.Errorf("the participant waited %s", waited)
				}
				time.AfterFunc(endsAt, func() { endAnswer(answer) })
				time.Sleep(wantAt - time.Nanosecond)
				synctest.Wait()
				if events := s.summary(); events != "" {
					t.Errorf("the event %s came before %s", events, wantAt)
				}
				time.Sleep(time.Nanosecond)
				synctest.Wait()
				if events := s.summary(); events != "one>two" {
					t.Fatalf("events are %q at %s", events, wantAt)
				}
				time.Sleep(time.Second) // until the late answer has ended
				synctest.Wait()
				events := s.events()
				response := events[0].Get("data.responses.0")
				got, isPartial := response.Get("state").String()+" "+response.Get("response").Raw, events[0].Get("data.partial").Bool()
				if len(events) != 1 || got != want || isPartial != wantPartial {
					t.Errorf("%d events, the first with %s, partial %v; want one with %s, partial %v", len(events), got, isPartial, want, wantPartial)
				}
			})
		})
	}
	f("it is accepted in time", accepted, 499*time.Millisecond, 499*time.Millisecond, `answered {"text":"late"}`, false)
	f("it takes too long", accepted, 501*time.Millisecond, 500*time.Millisecond, "pending null", true)
	f("the app refuses it", rules.Exchange{Status: 500}, 100*time.Millisecond, 100*time.Millisecond, "skipped null", false)
	f("the app gives no response", rules.Exchange{}, 100*time.Millisecond, 100*time.Millisecond, "skipped null", false)
}

func TestAnEventThatIsDueLeavesTheWaitingToALaterOne(t *testing.T) {
	onPageOne(t, func(s *scenario) {
		endFirst := s.begin("POST", "/api/log/3/p/i1/decsys.platform.COMPONENT_RESULTS")
		s.next(showPage2)
		time.Sleep(400 * time.Millisecond)
		s.load("two")
		endSecond := s.begin("POST", "/api/log/3/p/i2/decsys.platform.COMPONENT_RESULTS")
		s.next(`{"participantId":"p","page":null}`)
		time.Sleep(200 * time.Millisecond) // the first one is due
		synctest.Wait()
		if events := s.summary(); events != "one>two" {
			t.Errorf("events are %q", events)
		}
		accepted := rules.Exchange{Status: 204, RequestBody: []byte(`{"text":"late"}`)}
		endFirst(accepted)
		endSecond(accepted)
		synctest.Wait()
		events := s.events()
		if len(events) != 2 || !events[0].Get("data.partial").Bool() || events[1].Get("data.partial").Bool() {
			t.Errorf("events are %s", events)
		}
	})
}
