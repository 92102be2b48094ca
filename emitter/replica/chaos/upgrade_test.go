package chaos

import (
	"context"
	"flag"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

var chaosBefore = flag.String("chaos-before", "", "a sidehook of an earlier release, from which to upgrade")

func TestReplicasAreUpgradedOneAfterTheOtherWhileParticipantsGoOn(t *testing.T) {
	if *chaosBefore == "" {
		t.Skip("it needs a sidehook of an earlier release that knows replicas: run it with -chaos-before BINARY")
	}
	f := func(name string, order func(leader *replica, others []*replica) []*replica) {
		t.Run(name, func(t *testing.T) { upgrade(t, order) })
	}
	f("the leader last", func(leader *replica, others []*replica) []*replica { return append(others, leader) })
	f("the leader first", func(leader *replica, others []*replica) []*replica { return append([]*replica{leader}, others...) })
}

// upgrade replaces the processes of three replicas by those of this release, in an order.
func upgrade(t *testing.T, order func(leader *replica, others []*replica) []*replica) {
	t.Helper()
	dir, s := keptDir(t), size{3, 3}
	now, err := build(t.Context(), dir, s)
	must(t, err)
	before, err := filepath.Abs(*chaosBefore)
	must(t, err)
	f, err := newField(dir, s, binaries{sidehook: before, shifted: before, server: now.server})
	t.Cleanup(f.close)
	must(t, err)
	leader, err := f.leader(t.Context())
	must(t, err)

	taking, end := context.WithCancel(t.Context())
	var walking sync.WaitGroup
	for range *participants {
		walking.Go(func() {
			if err := walk(taking, f, rand.New(rand.NewPCG(rand.Uint64(), 0))); err != nil {
				t.Error(err)
			}
		})
	}
	others := slices.DeleteFunc(slices.Clone(f.replicas), func(r *replica) bool { return r == leader })
	for _, r := range order(leader, others) {
		r.setPaused(true) // load balancers see that it is not ready
		r.terminate(t)
		r.binary = now.sidehook
		must(t, r.start())
		must(t, r.awaitFollowing(t.Context()))
	}
	end()
	walking.Wait()
	f.awaitAll(t)
	v := f.ledger.check()
	t.Log(v)
	expectNothingWrong(t, v)
	ctx, cancel := context.WithTimeout(t.Context(), drainLimit)
	defer cancel()
	must(t, f.settle(ctx))
	must(t, f.stop())
	compareFiles(t, f)
}
