package deliver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/emitter/send"
	"github.com/sidehook/sidehook/rules/config"
)

const (
	// simulations is how many schedules of faults are tried.
	simulations = 1000
	// simulatedSeed is the environment variable with the one seed to try instead.
	simulatedSeed = "SIDEHOOK_SEED"
)

// A target that fails in every way there is, restarts and operators at random
// moments: whatever comes, the dispatcher keeps to its policy (see ledger), and
// once the target is well all that was enqueued is delivered or was given up by
// the policy. The schedules are made of their seeds alone.
func TestTheDispatcherKeepsItsPolicyUnderRandomFaults(t *testing.T) {
	if seed, err := strconv.ParseUint(os.Getenv(simulatedSeed), 10, 64); err == nil {
		simulate(t, memoryDir(t), seed)
		return
	}
	count := uint64(simulations)
	if testing.Short() || underRace {
		count /= 5 // each takes many times as long under the race detector
	}
	dir, seen := memoryDir(t), [send.Ours + 1]atomic.Int64{}
	t.Run("seeds", func(t *testing.T) {
		for part := range uint64(4) {
			t.Run(fmt.Sprint(part), func(t *testing.T) {
				t.Parallel()
				for seed := part + 1; seed <= count && !t.Failed(); seed += 4 {
					for outcome, n := range simulate(t, dir, seed) {
						seen[outcome].Add(n)
					}
				}
			})
		}
	})
	for outcome := send.Delivered; outcome <= send.Ours; outcome++ {
		n := seen[outcome].Load()
		t.Logf("%d attempts were %s", n, outcome)
		if n == 0 {
			t.Error("which shows nothing")
		}
	}
}

// simulate tries one schedule, and counts how attempts ended.
func simulate(t *testing.T, dir string, seed uint64) map[send.Outcome]int64 {
	t.Helper()
	s := newSimulation(seed, filepath.Join(dir, fmt.Sprint(seed)))
	synctest.Test(t, s.run)
	if s.ledger.violation != "" {
		t.Errorf("%s\nrun it again with %s=%d; the end of what happened:\n%s", s.ledger.violation, simulatedSeed, seed, s.ledger.history())
	}
	return s.ledger.outcomes
}

// mood is how a target behaves for a while.
type mood int

const (
	well mood = iota
	failing
	unreachable
	hanging
	throttling
	unavailable
	refusing
	moody
	ourselves
	moods
)

// simulation is one schedule of faults, and the target that follows it.
type simulation struct {
	seed   uint64
	random *rand.Rand
	rig    *harness
	ledger *ledger
	target config.Target
	// phases begin one after the other, the last one never ends.
	phases []phaseOfTarget
	next   int
}

type phaseOfTarget struct {
	begins time.Duration
	mood   mood
}

func newSimulation(seed uint64, dir string) *simulation {
	s := &simulation{seed: seed, random: rand.New(rand.NewPCG(seed, 0))}
	s.rig = &harness{dir: dir, fakes: map[string]*fakeTarget{}, targets: map[string]config.Target{}, stop: func() {}}
	s.target = config.Target{
		Retry:       config.Retry{Jitter: []float64{0, 0.2, 0.9}[s.random.IntN(3)]},
		Breaker:     config.Breaker{Failures: 1 + s.random.Uint32N(6), Open: config.Duration(s.upTo(20 * time.Second))},
		Concurrency: 1 + s.random.IntN(6),
		Rate:        config.Rate([]float64{0, 0, 3, 200}[s.random.IntN(4)]),
	}
	s.target.Breaker.MaxOpen = s.target.Breaker.Open * config.Duration(1+s.random.IntN(8))
	for range s.random.IntN(6) {
		s.target.Retry.Schedule = append(s.target.Retry.Schedule, config.Duration(s.upTo(30*time.Second)))
	}
	for begins := time.Duration(0); begins < time.Minute; begins += s.upTo(30 * time.Second) {
		s.phases = append(s.phases, phaseOfTarget{begins, mood(s.random.IntN(int(moods)))})
	}
	s.ledger = newLedger(s.target)
	return s
}

// upTo is a time of at least a millisecond, to the nanosecond.
func (s *simulation) upTo(limit time.Duration) time.Duration {
	return time.Millisecond + time.Duration(s.random.Int64N(int64(limit)))
}

func (s *simulation) run(t *testing.T) {
	r := s.rig
	r.t = t
	s.target.URL, _ = config.ParseURL("https://crm.example.org/")
	r.targets["crm"] = s.target
	r.sender = s
	r.chance = rand.New(rand.NewPCG(s.seed, 1)).Float64
	defer func() { r.stop() }()
	r.start()
	for time.Since(syntheticStart) < time.Minute && s.ledger.violation == "" {
		s.step()
		r.advance(s.upTo(4 * time.Second))
	}
	s.phases = append(s.phases, phaseOfTarget{time.Since(syntheticStart), well})
	s.settle()
}

// step is what happens besides attempts: participants, operators and restarts.
func (s *simulation) step() {
	r := s.rig
	switch s.random.IntN(12) {
	case 0:
		r.stop()
		r.advance(s.upTo(10 * time.Second))
		s.ledger.restart()
		r.start()
	case 1:
		r.write(func(tx *outbox.Tx) { tx.Disable("crm", outbox.CauseOperator, "", time.Now()) })
		synctest.Wait()
		s.ledger.disable()
	case 2, 3:
		s.enable()
	default:
		s.enqueue()
	}
}

func (s *simulation) enable() {
	s.ledger.enable()
	s.rig.write(func(tx *outbox.Tx) { tx.Enable("crm") })
}

// enqueue queues deliveries of a few participants.
func (s *simulation) enqueue() {
	var ids []string
	for range 1 + s.random.IntN(4) {
		s.next++
		ids = append(ids, fmt.Sprintf("%c%d", 'a'+s.random.IntN(4), s.next))
	}
	s.ledger.enqueue(ids)
	s.rig.enqueue(ids...)
}

// settle waits until nothing is left to do, and looks for what was lost.
func (s *simulation) settle() {
	for range 60 {
		if s.ledger.violation != "" || s.ledger.pending() == 0 {
			break
		}
		s.enable() // again, since attempts in flight may be the last to be refused
		s.rig.advance(10 * time.Second)
	}
	synctest.Wait()
	for id, d := range s.ledger.deliveries {
		kept, err := loadByID(s.rig.store, id)
		if err != nil || kept == nil {
			s.ledger.violate("%s is lost: %v", id, err)
			return
		}
		if kept.State != d.state || d.state == outbox.Waiting {
			s.ledger.violate("%s is %s in the end, want it %s", id, kept.State, d.state)
		}
	}
}

// Send is the target. How an attempt ends depends on nothing but the seed, the
// delivery and the time.
func (s *simulation) Send(ctx context.Context, d *outbox.Delivery, at time.Time) send.Result {
	n := s.ledger.begin(d.ID, d.Due, at)
	var id uint64
	for _, c := range d.ID {
		id = id<<8 | uint64(c)
	}
	random := rand.New(rand.NewPCG(s.seed^id<<16, uint64(n)))
	result, takes := s.answer(random, time.Since(syntheticStart))
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		result = send.Result{Outcome: send.Ours, Reason: "shutting down"}
	}
	s.ledger.end(d.ID, result)
	if result.Outcome == send.Retry && !result.NoConnection && random.IntN(20) == 0 && result.RetryAfter == 0 {
		panic("as a bug would")
	}
	return result
}

// answer is what the target says now. No two attempts end at the same moment.
func (s *simulation) answer(random *rand.Rand, now time.Duration) (send.Result, time.Duration) {
	behaves := well
	for _, phase := range s.phases {
		if phase.begins <= now {
			behaves = phase.mood
		}
	}
	if behaves == moody {
		behaves = mood(random.IntN(int(moods)))
	}
	takes := 1 + time.Duration(random.Int64N(int64(2*time.Second)))
	wait := time.Duration(random.Int64N(int64(20 * time.Second)))
	switch behaves {
	case failing:
		return after(fail500, wait*time.Duration(random.IntN(2))), takes
	case unreachable:
		return refused, takes
	case hanging:
		return send.Result{Outcome: send.Retry, Reason: "timeout waiting"}, takes + 15*time.Second
	case throttling:
		return after(fail429, wait*time.Duration(random.IntN(2))), takes
	case unavailable:
		return after(send.Result{Outcome: send.Retry, Status: 503, Reason: "status 503"}, wait), takes
	case refusing:
		return []send.Result{fail422, fail404, fail422, aborted, fail410, {Outcome: send.Delivered, Status: 200, Disable: true}}[random.IntN(6)], takes
	case ourselves:
		return ours, takes
	default:
		return ok200, takes
	}
}
