package record

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/config"
	"github.com/sidehook/sidehook/rules/recordings"
	"github.com/sidehook/sidehook/rules/trial"
)

// A trial and a recorder whose app responds only to what the file has make the
// same events, wherever a recording begins.
func TestATrialMakesTheEventsOfTheRecorder(t *testing.T) {
	for _, name := range []string{
		"browser-typed", "browser-study", "browser-text-race", "browser-two-tabs", "browser-randomised",
		"script-race", "script-oddities", "script-double-next", "reads", "reads-study", "v2.2.3-reads",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := readRecording(t, name)
			for _, begin := range cuts(decsysProfile(t), whole, 8) {
				cut := &recordings.Recording{Name: name, Exchanges: whole.Exchanges[begin:]}
				want := eventsOfRecorder(t, cut)
				if begin == 0 && len(want) == 0 {
					t.Fatal("there are no events")
				}
				if diff := cmp.Diff(want, eventsOfTrial(t, cut)); diff != "" {
					t.Errorf("from exchange %d (-recorder +trial):\n%s", begin, diff)
				}
			}
		})
	}
}

// A navigation on page 2 or 3 that the file begins with used to start at position 1.
func TestATrialThatBeginsInTheMiddleOfASurveyIsPartial(t *testing.T) {
	whole := readRecording(t, "browser-typed")
	progress := 0
	for i, one := range whole.Exchanges {
		if !strings.HasPrefix(one.Target, "/api/progress/") {
			continue
		}
		if progress++; progress != 5 && progress != 7 {
			continue
		}
		events := eventsOfTrial(t, &recordings.Recording{Exchanges: whole.Exchanges[i:]})
		if len(events) == 0 {
			t.Fatalf("from progress exchange %d there are no events", progress)
		}
		for _, event := range flatten(events) {
			if !gjson.Get(event, "data.partial").Bool() {
				t.Errorf("from progress exchange %d: an event is not partial: %s", progress, event)
			}
		}
	}
}

// cuts returns about n indexes of matched exchanges, from the first to the last.
func cuts(profile *rules.Profile, r *recordings.Recording, n int) (begins []int) {
	var matched []int
	for i, one := range r.Exchanges {
		if _, ok := profile.Match([]byte(one.Method), []byte(one.Target)); ok {
			matched = append(matched, i)
		}
	}
	for i := 0; i < len(matched); i += max(len(matched)/n, 1) {
		begins = append(begins, matched[i])
	}
	return begins
}

func trialConfig() *config.Config {
	return &config.Config{
		Durability: config.Relaxed,
		Settle:     config.Duration(500 * time.Millisecond),
		Targets:    map[string]config.Target{"lake": {Format: config.FormatStandard}},
		Rules:      []config.Rule{{To: []string{"lake"}}},
	}
}

// eventsOfTrial returns the bodies that a trial makes, by participant.
func eventsOfTrial(t *testing.T, r *recordings.Recording) map[string][]string {
	t.Helper()
	cfg := trialConfig()
	events := map[string][]string{}
	options := trial.Options{Profile: decsysProfile(t), Config: cfg, Preview: Preview(cfg)}
	for _, exchange := range trial.Run(options, r.Exchanges, nil).Exchanges {
		for _, event := range exchange.Events {
			addEvent(events, event.Deliveries[0].Body)
		}
	}
	return events
}

// eventsOfRecorder replays a recording through a recorder, each exchange at its
// time, and returns the bodies in the outbox, by participant.
func eventsOfRecorder(t *testing.T, r *recordings.Recording) map[string][]string {
	t.Helper()
	dir, steps, events := memoryDir(t), r.Steps(), map[string][]string{}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now().Add(time.Second) // the recorder starts before
		now := func() time.Time { return steps[0].At.Add(time.Since(began)) }
		logger := slog.New(slog.DiscardHandler)
		store := outbox.New(outbox.Options{Dir: dir, Logger: logger})
		d := &testRecorder{t: t, store: store}
		d.build(dir, Options{
			Store: store, Profile: decsysProfile(t), Config: trialConfig(), App: &fileApp{exchanges: trial.ByEnd(r.Exchanges), now: now},
			Logger: logger, Now: now,
		})
		d.start()
		ends := map[int]func(rules.Exchange){}
		var running sync.WaitGroup
		for _, step := range steps {
			time.Sleep(step.At.Sub(now()))
			one := r.Exchanges[step.Index]
			if !step.Ends {
				ends[step.Index] = d.any().Begin([]byte(one.Method), []byte(one.Target))
			} else if end := ends[step.Index]; end != nil {
				running.Go(func() { end(one.Exchange) })
			}
			synctest.Wait()
		}
		running.Wait()
		time.Sleep(time.Minute) // until all has settled
		synctest.Wait()
		for _, listed := range d.all() {
			delivery, err := store.Load(listed.Seq)
			if err != nil {
				t.Fatal(err)
			}
			addEvent(events, delivery.Body)
		}
		d.stop()
	})
	return events
}

func addEvent(events map[string][]string, body []byte) {
	participant := gjson.GetBytes(body, "data.participant.id").String()
	events[participant] = append(events[participant], string(body))
}

func flatten(events map[string][]string) (list []string) {
	for _, bodies := range events {
		list = append(list, bodies...)
	}
	return list
}

// fileApp responds to GET as the app did next in a recording, else last. To what
// is not recorded it gives no response.
type fileApp struct {
	exchanges []trial.Recorded
	now       func() time.Time
}

func (a *fileApp) Get(_ context.Context, _, path string) (status int, contentType string, body []byte, err error) {
	err = errors.New("no response")
	for _, one := range a.exchanges {
		if one.Method != http.MethodGet || one.Target != path {
			continue
		}
		status, contentType, body, err = one.Exchange.Status, one.Exchange.ContentType, one.Exchange.ResponseBody, nil
		if !one.End.Before(a.now()) {
			break
		}
	}
	return status, contentType, body, err
}
