package pipeline

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/emitter/replica/memory"
)

func TestASinglePipelineDeliversWhatItRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := newReceiver()
		p := newPipeline(t, to, alone)
		stop := start(t, p)
		defer stop()
		show(t, p, 1)
		next(t, p, 2)
		next(t, p, 3)
		synctest.Wait()
		if got, want := to.events(), moves(1, 3); !slices.Equal(got, want) {
			t.Errorf("the target got %q, want %q", got, want)
		}
	})
}

// takeover is how long it may take until another replica has begun to lead.
const takeover = 30 * time.Second

func TestAnotherReplicaGoesOnWhereTheLeaderStopped(t *testing.T) {
	f := func(name string, end func(leader *Pipeline, connection *memory.Connection)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				to, servers := newReceiver(), memory.NewServers()
				connections := []*memory.Connection{servers.Connect(), servers.Connect()}
				first, second := newPipeline(t, to, over(connections[0])), newPipeline(t, to, over(connections[1]))
				stop := start(t, first)
				defer stop()
				time.Sleep(takeover)
				if !first.Store.Leads() {
					t.Fatalf("the first replica does not lead: %+v", first.Store.Replica())
				}
				defer start(t, second)()
				both := []*Pipeline{first, second}
				show(t, first, 1)
				for n := 2; n <= 10; n++ {
					time.Sleep(10 * time.Millisecond)
					next(t, both[n%2], n)
				}
				time.Sleep(time.Second)
				if got, want := to.events(), moves(1, 10); !slices.Equal(got, want) {
					t.Fatalf("the target got %q, want %q", got, want)
				}
				to.setDown(true)
				next(t, first, 11) // fails once
				time.Sleep(500 * time.Millisecond)
				end(first, connections[0])
				for n := 12; n <= 20; n++ {
					time.Sleep(10 * time.Millisecond)
					next(t, second, n)
				}
				time.Sleep(time.Minute)
				if second.Store.Replica().Role != outbox.RoleLeading {
					t.Fatalf("the second replica does not lead: %+v", second.Store.Replica())
				}
				to.setDown(false)
				time.Sleep(2 * time.Hour)
				if got, want := to.events(), moves(1, 20); !slices.Equal(got, want) {
					t.Errorf("the target got %q, want %q", got, want)
				}
			})
		})
	}
	f("stopped", func(leader *Pipeline, _ *memory.Connection) { leader.Stop() })
	f("cut off", func(_ *Pipeline, connection *memory.Connection) { connection.Cut() })
}
