package record

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica"
	"github.com/sidehook/sidehook/emitter/replica/memory"
	"github.com/sidehook/sidehook/rules"
	"github.com/sidehook/sidehook/rules/recordings"
)

// apart is how long after an exchange the next one begins at another replica.
const apart = 10 * time.Millisecond

// testReplicas are three replicas in front of one app. The first one leads.
type testReplicas struct {
	t       testing.TB
	members []*testReplica
	chance  *rand.Rand
	running sync.WaitGroup
	cancel  context.CancelFunc
	// isGone takes the second one from the roster.
	isGone atomic.Bool
}

type testReplica struct {
	*Recorder
	seer       *replica.Seer
	connection *memory.Connection
}

// isReplicated reports whether a test is one of several replicas.
func isReplicated(t testing.TB) bool {
	return strings.HasPrefix(t.Name(), "TestSeveralReplicas") && !strings.HasSuffix(t.Name(), "/one")
}

// serversOf are those of a state directory, which are there after a restart, too.
var serversOf sync.Map

// newTestReplicas returns replicas of which the first has the state directory.
func newTestReplicas(t testing.TB, dir string, o Options) *testReplicas {
	kept, _ := serversOf.LoadOrStore(dir, memory.NewServers())
	g := &testReplicas{t: t, chance: rand.New(rand.NewPCG(journeyDigest(rules.Key{Participant: t.Name()}), 1))}
	for n := range 3 {
		connection := kept.(*memory.Servers).Connect()
		spill := filepath.Join(dir, fmt.Sprintf("replica-%d", n))
		var seer *replica.Seer
		seer = replica.NewSeer(replica.SeerOptions{
			Dir: spill, Link: connection, Logger: slog.New(slog.DiscardHandler),
			OthersDrainedTo: func() (time.Time, bool) { return g.othersDrainedTo(seer) },
		})
		o.Replicas = &Replicas{Seer: seer, Link: connection, Roster: g}
		if n > 0 {
			o.Store = outbox.New(outbox.Options{Dir: spill, Logger: o.Logger})
		}
		g.members = append(g.members, &testReplica{Recorder: New(o), seer: seer, connection: connection})
	}
	return g
}

// start has all of them answer, and hand over what they see.
func (g *testReplicas) start() {
	var ctx context.Context
	ctx, g.cancel = context.WithCancel(context.Background())
	for _, m := range g.members {
		g.running.Go(func() { m.Answer(ctx) })
		g.running.Go(func() {
			if err := m.seer.Run(ctx); err != nil {
				g.t.Errorf("a replica ended: %v", err)
			}
		})
	}
}

func (g *testReplicas) stop() {
	g.flush()
	g.cancel()
	g.running.Wait()
}

// Present implements Roster.
func (g *testReplicas) Present() (members []replica.Member) {
	for i, m := range g.members {
		if i == 1 && g.isGone.Load() {
			continue
		}
		members = append(members, replica.Member{Incarnation: m.seer.Incarnation()})
	}
	return members
}

// Expect implements Roster.
func (g *testReplicas) Expect([]replica.Member) {}

// Leave implements Roster.
func (g *testReplicas) Leave(string) {}

// IsKnown implements Roster.
func (g *testReplicas) IsKnown() bool { return true }

// any returns one of them by chance.
func (g *testReplicas) any() *Recorder {
	return g.members[g.chance.IntN(len(g.members))].Recorder
}

// flush returns once everything that was seen is folded.
func (g *testReplicas) flush() {
	time.Sleep(turnLimit + apart)
	synctest.Wait()
}

func TestSeveralReplicasMakeOfEverySituationWhatOneMakes(t *testing.T) {
	f := func(name string, situations ...func(*testing.T)) {
		for i, situation := range situations {
			t.Run(fmt.Sprint(name, " ", i), func(t *testing.T) { synctest.Test(t, situation) })
		}
	}
	f("deliveries", TestANavigationMakesOneDeliveryForEachTargetOfItsRules, TestTheStateFileHoldsRedactedBodies,
		TestDeliveriesOfAParticipantWaitForEachOtherUnlessTheTargetWantsNoOrder)
	f("restarts", TestAJourneyContinuesAfterARestart, TestASilenceGoesOnAfterARestart, TestStatisticsCountEachParticipantOnceAcrossRestarts)
	f("missed navigations", TestAMissedNavigationIsRecoveredOnceByTheNextPageShown, TestTheEndOfAStudyIsRecoveredThoughTheAppRespondsForTheStudy)
	f("two clicks", TestTwoClicksAtOnceGiveTheStepsOfTheApp, TestANavigationIsToldThoughTheParticipantReloadsAndGoesOnBeforeItEnds)
	f("what cannot be read", TestAnErrorFromAProxyInFrontOfTheAppMakesNoEventAndLosesNone, TestAnUnreadableExchangeMakesNoEvent,
		TestAnswerThatIsUnknownIsPartial)
	f("strange ids and pages", TestPagesWithoutQuestionsMakeEventsWithoutResponses, TestAnIDWithASlashASpaceAndAnUmlautNamesOneParticipant)
	f("bounds", TestAnswersOfAParticipantWithoutASurveyAreBoundedInBytes, TestAnswersOfAllParticipantsWithoutASurveyAreBoundedInBytes)
	f("pasts", TestWhatWaitsForItsPastGoesOnWithoutWhenTheAppIsNoLongerAsked, TestTheAppIsNotAskedAboutParticipantsItHasJustCreated,
		TestPastThatDidNotFitIsReadOnceAnEventWaitsForIt)
	f("silences", TestASilenceMakesOneEventHoweverLongItIs, TestASilenceThatEndedWhileSidehookWasDownIsNone,
		TestAParticipantWithAnExchangeInFlightIsNotSilent, TestManySilencesAreNotedInTheirMinute)
	f("forgetting", TestAForgottenParticipantIsNowhereInTheStateFile, TestOneSurveyOfAParticipantCanBeForgotten,
		TestAnExchangeInFlightDoesNotBringBackAForgottenParticipant, TestAnEventThatWaitsForAnswersIsForgottenToo,
		TestForgettingASurveyForgetsThatItWasEnteredByAStudy, TestAParticipantOfARenamedCookieIsForgottenAndNobodyElse,
		TestForgettingKeepsStatistics, TestTheSilenceOfAForgottenParticipantIsForgotten)
}

func TestSeveralReplicasMakeOfEveryRecordingWhatOneMakes(t *testing.T) {
	for _, name := range recordings.Names() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := readRecording(t, name)
			var want, got map[string][]string
			t.Run("one", func(t *testing.T) { want = eventsOfRecorder(t, r) })
			t.Run("several", func(t *testing.T) { got = eventsOfRecorder(t, r) })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-one +several):\n%s", diff)
			}
		})
	}
}

// at has a request sent to one replica.
func (g *testReplicas) at(n int, method, target string, x rules.Exchange) {
	g.t.Helper()
	time.Sleep(apart)
	end := g.members[n].Begin([]byte(method), []byte(target))
	if end == nil {
		g.t.Fatalf("%s %s matches no route", method, target)
	}
	end(x)
}

func TestSeveralReplicasWaitForWhatOneOfThemKept(t *testing.T) {
	const next = "/api/progress/5/3/p/next"
	f := func(name string, mendedAfter time.Duration, isGone bool, before, after string) {
		t.Run(name, func(t *testing.T) {
			dir := memoryDir(t)
			synctest.Test(t, func(t *testing.T) {
				s := &scenario{dir: dir}
				s.open(t)
				s.get(showPage1)
				kept := s.replicas.members[1]
				kept.connection.Cut()
				s.replicas.at(1, "POST", next, page(showPage2))
				s.replicas.at(2, "POST", next, page(showPage3))
				s.replicas.isGone.Store(isGone)
				time.Sleep(mendedAfter - time.Second)
				if got := s.summary(); got != before {
					t.Errorf("before the line is mended: %q, want %q", got, before)
				}
				kept.connection.Mend()
				s.replicas.isGone.Store(false)
				time.Sleep(10 * time.Second)
				if got := s.summary(); got != after {
					t.Errorf("after the line is mended: %q, want %q", got, after)
				}
			})
		})
	}
	f("if it comes back", 20*time.Second, false, "", "one>two, two>three")
	f("unless it is gone", 20*time.Second, true, "one>three", "one>three, one>two recovered")
}

func TestSeveralReplicasGoOnAfterTheServersHaveLostWhatWasSeen(t *testing.T) {
	const next = "/api/progress/5/3/p/next"
	f := func(name string, seenBefore, restarts int) {
		t.Run(name, func(t *testing.T) {
			dir := memoryDir(t)
			synctest.Test(t, func(t *testing.T) {
				s := &scenario{dir: dir}
				s.open(t)
				for range seenBefore {
					s.get(showPage1)
				}
				s.replicas.at(1, "POST", next, page(showPage2))
				s.replicas.flush()
				kept, _ := serversOf.Load(dir)
				kept.(*memory.Servers).ForgetSeen()
				for range restarts {
					s.restart()
				}
				s.replicas.at(2, "POST", next, page(showPage3))
				time.Sleep(2 * dropEvery)
				if got, want := s.summary(), "one>two, two>three"; got != want {
					t.Errorf("the events are %q, want %q", got, want)
				}
			})
		})
	}
	f("while one leads", 5, 0)
	f("before one leads", 5, 1)
}
