package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// workload is what the clients request.
type workload struct {
	name, title  string
	path, script string
	// size is the length of every body, 0 where they differ.
	size int
	// hasWatched is set where sidehook watches some of the requests.
	hasWatched bool
}

// sample is the measurement of one proxy in one round.
type sample struct {
	counted
	cpu  time.Duration // for each request
	peak int           // bytes
}

var workloads = []workload{
	{name: "json", title: "JSON of 2 KB", path: "/json", script: "plain.lua", size: 2 << 10},
	{name: "blob", title: "body of 256 KB", path: "/blob", script: "plain.lua", size: 256 << 10},
	{name: "static", title: "static file of 6 MB", path: "/static", script: "plain.lua", size: 6 << 20},
	{name: "mix", title: "a real session's mix; sidehook records what it watches, sidehook-unwatched does not", path: "/", script: "session.lua", hasWatched: true},
}

// compare measures all rounds of a workload, then counts system calls.
func (r *rig) compare(w workload, peers []peer, out io.Writer) error {
	if !w.hasWatched {
		peers = withoutUnwatched(peers)
	}
	samples := map[string][]sample{}
	var recorded string
	for round := range r.options.rounds {
		for i := range peers {
			p := peers[(i+round)%len(peers)]
			s, note, err := r.measure(w, p)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", w.name, p.name, err)
			}
			samples[p.name] = append(samples[p.name], s)
			if note != "" {
				recorded = note
			}
		}
	}
	printSamples(out, w, peers, samples)
	if recorded != "" {
		fmt.Fprintln(out, recorded)
	}
	if r.options.isSmoke {
		if w.name != workloads[0].name {
			return nil
		}
		peers = peers[:1]
	}
	if !r.hasTool("strace", "the count of system calls", out) {
		return nil
	}
	return r.countCalls(w, peers, out)
}

// onlySidehook are the peers that are builds of sidehook.
func onlySidehook(peers []peer) []peer {
	return slices.DeleteFunc(slices.Clone(peers), func(p peer) bool { return !p.isSidehook() })
}

// withoutUnwatched leaves out the peer that differs only where requests are watched.
func withoutUnwatched(peers []peer) []peer {
	return slices.DeleteFunc(slices.Clone(peers), func(p peer) bool { return p.name == "sidehook-unwatched" })
}

// measure drives a new process of a peer. note describes what sidehook recorded.
func (r *rig) measure(w workload, p peer) (s sample, note string, err error) {
	proxy, err := r.launch(r.ctx, p, r.appAt)
	if err != nil {
		return s, "", err
	}
	defer proxy.end()
	before, err := proxy.usage()
	if err != nil {
		return s, "", err
	}
	if s.counted, err = r.wrk(w, proxy.Listen, r.options.duration); err != nil {
		return s, "", err
	}
	after, err := proxy.usage()
	if err != nil {
		return s, "", err
	}
	s.cpu = (after.cpu - before.cpu) / time.Duration(s.requests)
	s.peak = after.peak
	if w.hasWatched && p.name == "sidehook" {
		note, err = r.recorded(proxy, s.requests)
	}
	return s, note, err
}
