package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sidehook/sidehook/emitter/rig"
)

const (
	// leaderLimit bounds the time until one of the replicas leads.
	leaderLimit = 30 * time.Second
	// replicasApp is the name that the replicas have in common.
	replicasApp = "bench"
)

// formation is how many replicas there are, and how many NATS servers between them.
type formation struct{ replicas, servers int }

func (f formation) String() string {
	if f.servers == 0 {
		return "1, embedded"
	}
	return fmt.Sprintf("%d on R%d", f.replicas, f.servers)
}

// group is a formation that runs, with an app and a receiver.
type group struct {
	*bench
	of            formation
	app, receiver *rig.Server
	nats          *rig.NATS // nil for a single replica
	sidecars      []*sidecar
}

// openGroup starts a formation whose first replica has a state. What the receiver gets is in
// the ledger.
func (b *bench) openGroup(of formation, state string, l *ledger) (*group, error) {
	g := &group{bench: b, of: of}
	if err := g.open(state, l); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

func (g *group) open(state string, l *ledger) (err error) {
	if g.app, err = rig.NewServer(newSurvey().serve); err != nil {
		return err
	}
	if g.receiver, err = newReceiver(l); err != nil {
		return err
	}
	return g.start(state, setting{app: g.app.URL(), targets: map[string]string{"receiver": g.receiver.URL()}})
}

func (g *group) close() {
	for _, s := range g.sidecars {
		s.kill()
	}
	if g.nats != nil {
		g.nats.Kill()
	}
	for _, s := range []*rig.Server{g.receiver, g.app} {
		if s != nil {
			s.Close()
		}
	}
}

// start starts the servers and the replicas, the first of which has the state.
func (g *group) start(state string, with setting) error {
	if g.of.servers > 0 {
		if err := g.startNATS(); err != nil {
			return err
		}
		with.replicas = g.nats.URL(replicasApp)
	}
	for n := range g.of.replicas {
		with.state = g.state()
		with.name = fmt.Sprintf("replica-%d", n)
		if n == 0 {
			with.state = state
		}
		if err := g.startOne(with); err != nil {
			return err
		}
		if n == 0 && g.nats != nil {
			if _, err := g.awaitLeader(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *group) startOne(with setting) error {
	s, err := g.bench.start(g.builds[0], with)
	if err == nil {
		g.sidecars = append(g.sidecars, s)
	}
	return err
}

// awaitLeader waits until a replica leads.
func (g *group) awaitLeader() (leader *sidecar, err error) {
	for until := time.Now().Add(leaderLimit); time.Now().Before(until) && g.ctx.Err() == nil; g.sleep(10 * time.Millisecond) {
		for _, s := range g.sidecars {
			if text, err := s.ask("/metrics"); err == nil && strings.Contains(string(text), "\nsidehook_leads 1\n") {
				return s, nil
			}
		}
	}
	return nil, errors.Join(errors.New("no replica leads"), g.ctx.Err())
}

// startNATS starts the servers, whose program is built once.
func (g *group) startNATS() (err error) {
	program := filepath.Join(g.dir, "nats-server")
	if _, err := os.Stat(program); err != nil {
		if err := rig.BuildNATS(g.ctx, program); err != nil {
			return err
		}
	}
	g.nats, err = rig.StartNATS(g.ctx, program, g.state(), g.of.servers)
	return err
}

// crowd returns participants each request of whom reaches another of the replicas.
func (g *group) crowd(l *ledger, through []*sidecar) *crowd {
	var addresses []string
	for _, s := range through {
		addresses = append(addresses, s.participants)
	}
	return newCrowd(strings.Join(addresses, ","), l)
}
