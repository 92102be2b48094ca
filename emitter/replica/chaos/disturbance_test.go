package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

const (
	// downAtMost bounds how long a killed process is away.
	downAtMost = 3 * time.Second
	// cutFor is how long the network is cut, and stillFor how long a process stands still.
	cutFor   = 6 * time.Second
	stillFor = 5 * time.Second
	// calmAtMost bounds the time between two disturbances.
	calmAtMost = 3 * time.Second
)

// disturbance breaks something, and heals it.
type disturbance struct {
	name  string
	needs size
	run   func(d *disturber, ctx context.Context) error
}

// disturbances are all that there are.
var disturbances = []disturbance{
	{"kill-leader", size{1, 0}, func(d *disturber, ctx context.Context) error { return d.killReplica(ctx, true, false) }},
	{"kill-replica", size{2, 1}, func(d *disturber, ctx context.Context) error { return d.killReplica(ctx, false, false) }},
	{"kill-server", size{1, 3}, (*disturber).killServer},
	{"stop-leader", size{1, 0}, func(d *disturber, ctx context.Context) error { return d.stopReplica(ctx, true) }},
	{"stop-replica", size{2, 1}, func(d *disturber, ctx context.Context) error { return d.stopReplica(ctx, false) }},
	{"stop-server", size{1, 3}, (*disturber).stopServer},
	{"cut-leader", size{1, 1}, func(d *disturber, ctx context.Context) error { return d.cutReplica(ctx, true, (*relay).cut) }},
	{"cut-replica", size{2, 1}, func(d *disturber, ctx context.Context) error { return d.cutReplica(ctx, false, (*relay).cut) }},
	{"deafen-leader", size{1, 1}, func(d *disturber, ctx context.Context) error { return d.cutReplica(ctx, true, (*relay).deafen) }},
	{"cut-server", size{1, 3}, (*disturber).cutServer},
	{"lose-disk", size{2, 1}, func(d *disturber, ctx context.Context) error { return d.killReplica(ctx, d.flips(), true) }},
}

// healthLimit bounds how long a server takes to have what the others have. The others'
// catching it up failed for 95 s once, until it began anew ("expected first catchup entry
// to be a snapshot").
const healthLimit = 5 * time.Minute

// disturber disturbs a field, one thing at a time.
type disturber struct {
	*field
	random *rand.Rand
	// done counts the disturbances by name.
	done map[string]int
}

// disturb runs the disturbances in an order by chance, again and again, until ctx ends.
// What has begun is healed.
func (d *disturber) disturb(ctx context.Context, list []disturbance) error {
	healing := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		d.random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		for _, one := range list {
			if pause(ctx, d.upTo(calmAtMost)) != nil {
				break
			}
			began := time.Now()
			err := one.run(d, healing)
			d.ledger.broke(span{one.name, began, time.Now()})
			if err != nil {
				return fmt.Errorf("%s: %w", one.name, err)
			}
			d.done[one.name]++
		}
	}
	return nil
}

// target returns the replica that leads, or another one.
func (d *disturber) target(ctx context.Context, leads bool) (*replica, error) {
	leader, err := d.leader(ctx)
	if err != nil || leads {
		return leader, err
	}
	return d.other(leader, d.random), nil
}

// killReplica kills a replica and starts it again, without its files if they may be lost.
func (d *disturber) killReplica(ctx context.Context, leads, losesDisk bool) error {
	r, err := d.target(ctx, leads)
	if err != nil {
		return err
	}
	if losesDisk {
		if err := d.awaitNoSpill(ctx, r); err != nil {
			return err
		}
	}
	r.kill()
	if err := pause(ctx, d.upTo(downAtMost)); err != nil {
		return err
	}
	if !losesDisk {
		return r.start()
	}
	return errors.Join(loseDisk(r), r.start())
}

// loseDisk deletes the files of a replica, unless it has spilled something since it was
// asked: that is there alone.
func loseDisk(r *replica) error {
	waits, err := hasSpill(r.state())
	if err != nil || waits {
		return err
	}
	return os.RemoveAll(r.state())
}

func (d *disturber) killServer(ctx context.Context) error {
	s := d.anyServer()
	s.kill()
	if err := pause(ctx, d.upTo(downAtMost)); err != nil {
		return err
	}
	if err := s.start(); err != nil {
		return err
	}
	return d.awaitServers(ctx)
}

func (d *disturber) stopReplica(ctx context.Context, leads bool) error {
	r, err := d.target(ctx, leads)
	if err != nil {
		return err
	}
	r.pause()
	defer r.resume()
	return pause(ctx, stillFor)
}

func (d *disturber) stopServer(ctx context.Context) error {
	s := d.anyServer()
	s.pause()
	err := pause(ctx, stillFor)
	s.resume()
	if err != nil {
		return err
	}
	return d.awaitServers(ctx)
}

// cutReplica cuts a replica from all servers.
func (d *disturber) cutReplica(ctx context.Context, leads bool, cut func(*relay)) error {
	r, err := d.target(ctx, leads)
	if err != nil {
		return err
	}
	return d.cutRelays(ctx, d.relaysOf(r), cut)
}

// cutServer cuts a server from the others; replicas still reach all.
func (d *disturber) cutServer(ctx context.Context) error {
	if err := d.cutRelays(ctx, d.relaysAround(d.anyServer()), (*relay).cut); err != nil {
		return err
	}
	return d.awaitServers(ctx)
}

// cutRelays cuts relays for a while. Sometimes connections do not outlive that.
func (d *disturber) cutRelays(ctx context.Context, list []*relay, cut func(*relay)) error {
	forgets := d.flips()
	for _, way := range list {
		cut(way)
	}
	err := pause(ctx, cutFor)
	for _, way := range list {
		if forgets {
			way.drop()
		}
		way.mend()
	}
	return err
}

// awaitServers waits until all servers have what the others have, so that the next
// disturbance does not meet a minority of them.
func (d *disturber) awaitServers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, healthLimit)
	defer cancel()
	for _, s := range d.servers {
		for !s.isHealthy(ctx) {
			if pause(ctx, 50*time.Millisecond) != nil {
				return fmt.Errorf("nats-server %s is not healthy again", s.name)
			}
		}
	}
	return nil
}

// awaitNoSpill waits until all that a replica saw is in what was seen.
func (d *disturber) awaitNoSpill(ctx context.Context, r *replica) error {
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	return r.awaitZero(ctx, "sidehook_spill_waiting")
}

func (d *disturber) anyServer() *server { return d.servers[d.random.IntN(len(d.servers))] }

func (d *disturber) flips() bool { return d.random.IntN(2) == 0 }

func (d *disturber) upTo(most time.Duration) time.Duration {
	return time.Duration(d.random.Int64N(int64(most)))
}
