package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/sidehook/sidehook/emitter/rig"
)

// size is how many processes there are.
type size struct{ replicas, servers int }

// field is everything of one run: the processes, what is between them, and what happened.
type field struct {
	size
	dir      string
	trace    *os.File
	ledger   *ledger
	app      *app
	web      *http.Server
	receiver *receiver
	replicas []*replica
	servers  []*server
	// toServer has the relay of each replica to each server, and between that of each
	// server to each other one, nil to itself.
	toServer, between [][]*relay
	// toAny has the relay to each server by which servers reach it that have heard of it.
	toAny []*relay
}

// newField starts everything. close is to be called even after an error.
func newField(dir string, s size, b binaries) (f *field, err error) {
	f = &field{size: s, dir: dir}
	if f.trace, err = os.Create(filepath.Join(dir, "trace.log")); err != nil {
		return f, err
	}
	f.ledger = newLedger(f.trace)
	f.app = newApp(f.ledger)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return f, err
	}
	f.web = &http.Server{Handler: f.app, ReadHeaderTimeout: time.Minute}
	go func() { _ = f.web.Serve(listener) }() // until close
	if f.receiver, err = newReceiver(f.ledger); err != nil {
		return f, err
	}
	if err := f.startServers(b); err != nil {
		return f, err
	}
	return f, f.startReplicas(b, "http://"+listener.Addr().String())
}

func (f *field) startServers(b binaries) error {
	for n := range f.size.servers {
		addresses, err := rig.FreeAddresses(3)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("server-%d", n+1)
		f.servers = append(f.servers, &server{
			name: name, binary: b.server, dir: filepath.Join(f.dir, name), clients: addresses[0], routes: addresses[1], health: addresses[2],
		})
	}
	for _, s := range f.servers {
		any, err := newRelay("127.0.0.1:0", s.routes)
		if err != nil {
			return err
		}
		f.toAny = append(f.toAny, any)
	}
	for n, s := range f.servers {
		relays, peers := make([]*relay, len(f.servers)), []string(nil)
		f.between = append(f.between, relays)
		for m, other := range f.servers {
			if n == m {
				continue
			}
			var err error
			if relays[m], err = newRelay("127.0.0.1:0", other.routes); err != nil {
				return err
			}
			peers = append(peers, relays[m].address())
		}
		if err := s.configure(f.toAny[n].address(), peers); err != nil {
			return err
		}
		if err := s.start(); err != nil {
			return err
		}
	}
	return nil
}

func (f *field) startReplicas(b binaries, app string) error {
	for n := range f.size.replicas {
		addresses, err := rig.FreeAddresses(2)
		if err != nil {
			return err
		}
		r := &replica{name: fmt.Sprintf("replica-%d", n+1), binary: b.sidehook, participants: addresses[0], admin: addresses[1]}
		r.dir = filepath.Join(f.dir, r.name)
		if f.size.servers > 0 && n > 0 && n == f.size.replicas-1 {
			r.binary, r.environment = b.shifted, []string{fmt.Sprintf("%s=%d", clockVariable, int(chaosClock.Seconds()))}
		}
		var urls []string
		relays := []*relay(nil)
		for _, s := range f.servers {
			way, err := newRelay("127.0.0.1:0", s.clients)
			if err != nil {
				return err
			}
			relays, urls = append(relays, way), append(urls, way.address())
		}
		f.toServer, f.replicas = append(f.toServer, relays), append(f.replicas, r)
		if err := r.configure(app, f.receiver.URL(), urls); err != nil {
			return err
		}
		if err := r.start(); err != nil {
			return err
		}
	}
	return nil
}

// choose returns a replica that serves, by chance, and waits while there is none.
func (f *field) choose(ctx context.Context, random *rand.Rand) (*generation, error) {
	for {
		var serving []*generation
		for _, r := range f.replicas {
			if g := r.serves(); g != nil {
				serving = append(serving, g)
			}
		}
		if len(serving) > 0 {
			return serving[random.IntN(len(serving))], nil
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// leader returns the replica that says that it leads; a single one always does.
func (f *field) leader(ctx context.Context) (*replica, error) {
	if f.size.servers == 0 {
		return f.replicas[0], nil
	}
	ctx, cancel := context.WithTimeout(ctx, drainLimit)
	defer cancel()
	for {
		for _, r := range f.replicas {
			if leads, ok := r.metric(ctx, "sidehook_leads"); ok && leads == 1 {
				return r, nil
			}
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return nil, errors.New("no replica leads")
		}
	}
}

// other returns a replica that is not the one given.
func (f *field) other(than *replica, random *rand.Rand) *replica {
	for {
		if r := f.replicas[random.IntN(len(f.replicas))]; r != than {
			return r
		}
	}
}

// relaysOf are those of a replica to all servers.
func (f *field) relaysOf(r *replica) []*relay { return f.toServer[slices.Index(f.replicas, r)] }

// relaysAround are those between a server and all others.
func (f *field) relaysAround(s *server) (list []*relay) {
	n := slices.Index(f.servers, s)
	list = append(list, f.toAny...)
	for m := range f.servers {
		if m != n {
			list = append(list, f.between[n][m], f.between[m][n])
		}
	}
	return list
}

// settle waits until every replica has what the others have.
func (f *field) settle(ctx context.Context) error {
	if f.size.servers == 0 {
		return nil
	}
	last := uint64(0)
	for _, r := range f.replicas {
		last = max(last, r.applied(ctx))
	}
	for _, r := range f.replicas {
		if err := r.awaitApplied(ctx, last); err != nil {
			return err
		}
		for _, metric := range []string{"sidehook_spill_waiting", "sidehook_replica_entries_behind"} {
			if err := r.awaitZero(ctx, metric); err != nil {
				return err
			}
		}
	}
	return nil
}

// stop ends the replicas in good order, all at once.
func (f *field) stop() error {
	results := make(chan error, len(f.replicas))
	for _, r := range f.replicas {
		go func() { results <- r.stop() }()
	}
	var all []error
	for range f.replicas {
		all = append(all, <-results)
	}
	return errors.Join(all...)
}

func (f *field) close() {
	for _, r := range f.replicas {
		r.kill()
	}
	for _, s := range f.servers {
		s.kill()
	}
	for _, relays := range slices.Concat(f.toServer, f.between, [][]*relay{f.toAny}) {
		for _, way := range relays {
			if way != nil {
				way.close()
			}
		}
	}
	if f.receiver != nil {
		f.receiver.Close()
	}
	if f.web != nil {
		_ = f.web.Close()
	}
	if f.trace != nil {
		f.trace.Close()
	}
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
