package outbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// hand is one thing that happens to replicas.
type hand struct {
	kind, replica int
	seed          uint64
}

// Whatever happens to replicas and their lines: what a leader has acknowledged is in
// all files and what it has refused in none, they are alike in the end, and in the log
// nobody writes in a term that is not his.
func TestReplicasStayAlikeWhateverHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ testing.TB }{t}, func(r *rapid.T) {
			hands := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) hand {
				return hand{rapid.IntRange(0, 9).Draw(r, "kind"), rapid.IntRange(0, 2).Draw(r, "replica"), rapid.Uint64().Draw(r, "seed")}
			}), 1, 40).Draw(r, "hands")
			c := newCluster(t, 3)
			defer c.end()
			for n, h := range hands {
				c.play(t, n, h)
			}
			c.check(t, r)
		})
	})
}

// cluster is some replicas and what was changed.
type cluster struct {
	servers  *testServers
	dirs     []string
	replicas []*testReplica
	disks    []*fullDisk
	// acknowledged and refused are the names of changes.
	acknowledged, refused []string
	lives                 int
}

func newCluster(t *testing.T, n int) *cluster {
	c := &cluster{servers: newTestServers(), dirs: memberDirs(t, n)}
	c.servers.maxEntry = 1 << 10
	c.replicas, c.disks = make([]*testReplica, n), make([]*fullDisk, n)
	for i := range n {
		c.begin(t, i)
	}
	return c
}

func (c *cluster) begin(t *testing.T, i int) {
	c.lives++
	r := c.servers.newReplica(c.dirs[i], fmt.Sprint(i, "-", c.lives))
	c.disks[i] = &fullDisk{}
	r.disk, r.segmentSize, r.applyAtOnce = c.disks[i], 3<<10, 8
	c.replicas[i] = r.start(t)
}

func (c *cluster) end() {
	for i, r := range c.replicas {
		c.disks[i].isFull.Store(false)
		r.line.cut(false)
		r.line.deafen(false)
		r.stop()
		_ = os.RemoveAll(c.dirs[i])
	}
}

func (c *cluster) play(t *testing.T, n int, h hand) {
	random := rand.New(rand.NewPCG(h.seed, 17))
	r := c.replicas[h.replica]
	switch h.kind {
	case 0, 1, 2, 3:
		c.change(t, fmt.Sprint("change ", n), someChange(random, fmt.Sprint("delivery ", n)))
	case 4:
		r.line.cut(random.IntN(2) == 0)
	case 5:
		r.line.deafen(random.IntN(2) == 0)
	case 6:
		c.disks[h.replica].isFull.Store(random.IntN(2) == 0)
	case 7:
		c.disks[h.replica].isFull.Store(false)
		r.stop()
		c.begin(t, h.replica)
	case 8, 9:
		time.Sleep(time.Duration(random.IntN(5000)) * time.Millisecond)
	}
}

// change makes a change at whoever leads, and notes what became of it.
func (c *cluster) change(t *testing.T, name string, fn func(*Tx)) {
	for _, r := range c.replicas {
		if !r.Leads() {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		err := r.Do(ctx, func(tx *Tx) { fn(tx); tx.SetSeenFrom(name, 1) })
		cancel()
		switch {
		case err == nil:
			c.acknowledged = append(c.acknowledged, name)
		case errors.Is(err, ErrFollows):
			c.refused = append(c.refused, name)
		}
		return
	}
}

func (c *cluster) check(t *testing.T, r *rapid.T) {
	for i, one := range c.replicas {
		c.disks[i].isFull.Store(false)
		one.line.cut(false)
		one.line.deafen(false)
	}
	time.Sleep(5 * time.Second)
	leader := waitLeading(t, c.replicas...)
	do(t, leader.Store, func(tx *Tx) { tx.SetSeen(1) })
	for _, difference := range differences(t, c.replicas...) {
		r.Error(difference)
	}
	do(t, leader.Store, func(tx *Tx) {
		for _, name := range c.acknowledged {
			if tx.SeenFrom(name) == 0 {
				r.Errorf("%s was acknowledged and is not there", name)
			}
		}
		for _, name := range c.refused {
			if tx.SeenFrom(name) != 0 {
				r.Errorf("%s was refused and is there", name)
			}
		}
	})
	leads := ""
	for i, e := range c.servers.all(t) {
		if e.kind == entryLead {
			leads = e.leader
		}
		if e.leader != leads {
			r.Errorf("entry %d is a %s of %s in the term of %s", i, e.kind, e.leader, leads)
		}
	}
}
