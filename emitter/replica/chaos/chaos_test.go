package chaos

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// drainLimit bounds how long after the last disturbance all that is owed arrives: a
// replica that is gone delays webhooks by 30 s.
const drainLimit = 90 * time.Second

var (
	chaosFor     = flag.Duration("chaos", 0, "how long participants and disturbances go on; 0 = not at all")
	chaosSizes   = flag.String("chaos-sizes", "1x0", "REPLICASxSERVERS of each run, by commas; 1x0 is a single sidehook")
	participants = flag.Int("chaos-participants", 8, "how many take the survey at once")
	chaosOnly    = flag.String("chaos-only", "", "names of disturbances by commas; empty = all")
	chaosClock   = flag.Duration("chaos-clock", 30*time.Second, "by how much the clock of the last of several replicas is off, in whole seconds")
	chaosSeed    = flag.Uint64("chaos-seed", 0, "of the disturbances and participants; 0 = by chance")
)

// Participants take surveys through any replica, while replicas, servers and the
// network between them break by turns. Nothing that they were told of is lost.
func TestNothingIsLostInChaos(t *testing.T) {
	if *chaosFor == 0 {
		t.Skip("it takes minutes: run it with -chaos 60s")
	}
	for text := range strings.SplitSeq(*chaosSizes, ",") {
		var s size
		if n, err := fmt.Sscanf(text, "%dx%d", &s.replicas, &s.servers); err != nil || n != 2 || s.replicas < 1 {
			t.Fatalf("-chaos-sizes %s: want REPLICASxSERVERS", text)
		}
		t.Run(text, func(t *testing.T) { runChaos(t, s) })
	}
}

func runChaos(t *testing.T, s size) {
	list := chosen(t, s)
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	dir := keptDir(t)
	binaries, err := build(t.Context(), dir, s)
	if err != nil {
		t.Fatal(err)
	}
	f, err := newField(dir, s, binaries)
	defer f.close()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.leader(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := &disturber{field: f, random: rand.New(rand.NewPCG(seed, 0)), done: map[string]int{}}
	play(t, d, list, seed)
	v := f.ledger.check()
	t.Logf("%v, %d participants at once, seed %d\n%v%v", *chaosFor, *participants, seed, v, d)
	expectNothingWrong(t, v)
	if err := f.stop(); err != nil {
		t.Error(err)
	}
	compareFiles(t, f)
}

// keptDir returns a new folder, which stays if the test fails.
func keptDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sidehook-chaos-")
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs and states are in %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	return dir
}

// chosen returns the disturbances that a size has.
func chosen(t *testing.T, s size) (list []disturbance) {
	t.Helper()
	var names []string
	if *chaosOnly != "" {
		names = strings.Split(*chaosOnly, ",")
	}
	for _, one := range disturbances {
		isWanted := len(names) == 0 || slices.Contains(names, one.name)
		if isWanted && s.replicas >= one.needs.replicas && s.servers >= one.needs.servers {
			list = append(list, one)
		}
	}
	if len(list) == 0 {
		t.Fatalf("no disturbance of %q is possible with %d replicas and %d servers", *chaosOnly, s.replicas, s.servers)
	}
	return list
}

// play lets participants and disturbances go on for the time of the flag, and waits
// until what is owed has arrived.
func play(t *testing.T, d *disturber, list []disturbance, seed uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), *chaosFor)
	defer cancel()
	results := make(chan error, *participants+1)
	var playing sync.WaitGroup
	for n := range *participants {
		playing.Go(func() { results <- walk(ctx, d.field, rand.New(rand.NewPCG(seed, uint64(n)+1))) })
	}
	playing.Go(func() { results <- d.disturb(ctx, list) })
	playing.Wait()
	close(results)
	for err := range results {
		if err != nil {
			t.Error(err)
		}
	}
	draining, cancel := context.WithTimeout(t.Context(), drainLimit)
	defer cancel()
	for began := time.Now(); len(d.ledger.owed()) > 0; {
		if err := pause(draining, 20*time.Millisecond); err != nil {
			t.Errorf("not all has arrived %v after the end", time.Since(began).Round(time.Second))
			return
		}
	}
	if err := d.settle(draining); err != nil {
		t.Error(err)
	}
}

// walk has one participant after the other take the survey. The last one ends it.
func walk(ctx context.Context, f *field, random *rand.Rand) error {
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), *chaosFor+drainLimit)
	defer cancel()
	for ctx.Err() == nil {
		p := &participant{field: f, random: random}
		if err := p.take(ending); err != nil {
			return fmt.Errorf("a participant cannot go on: %w", err)
		}
	}
	return nil
}

// compareFiles compares the files of all replicas.
func compareFiles(t *testing.T, f *field) {
	t.Helper()
	path := func(r *replica) string { return filepath.Join(r.state(), "outbox.db") }
	for _, r := range f.replicas[1:] {
		list, err := differences(path(f.replicas[0]), path(r))
		if err != nil {
			t.Error(err)
		} else if len(list) > 0 {
			t.Errorf("%d differences between %s and %s:\n    %s", len(list), f.replicas[0].name, r.name, short(list))
		}
	}
}

// String says how often there was which disturbance.
func (d *disturber) String() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(d.done)) {
		fmt.Fprintf(&text, "%d x %s  ", d.done[name], name)
	}
	return text.String()
}
