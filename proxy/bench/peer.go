package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
)

//go:embed peers
var peerFiles embed.FS

// peer is a proxy that is measured.
type peer struct {
	name string
	// config is the template of its configuration, empty where it has none.
	config string
	// profile is sidehook's.
	profile string
	// largeHeads raises its limits to heads of idleHeads.
	largeHeads bool
	command    func(*rig, place) []string
}

// place is where a peer runs.
type place struct {
	Listen, App, Admin string
	// Dir is a folder of its own, Config its configuration in it.
	Dir, Config string
	Profile     string
	Threads     int
	LargeHeads  bool
}

// running is a peer that has been started.
type running struct {
	*process
	place
}

// isSidehook reports whether the peer watches traffic by a profile.
func (p peer) isSidehook() bool { return p.profile != "" }

// peers are the proxies, in the order of the tables.
//
// sidehook is built from this tree as the image builds it, and runs with the
// profile decsys, durability strict and a target that refuses connections. Of
// the session mix it records what that profile watches; sidehook-unwatched has
// a profile that matches nothing. haproxy and nginx are Debian's, reverse-proxy
// is net/http/httputil's and splice is two io.Copy between TCP connections that
// know nothing of HTTP.
//
// To be fair, each has one thread (-threads: nbthread, worker_processes,
// GOMAXPROCS), keeps its connections to the app and writes no access log. nginx
// passes responses on unbuffered, which is also where it is fastest; haproxy's
// defaults let it gather what the app sends in pieces.
var peers = []peer{
	{name: "sidehook", config: "sidehook.yaml", profile: "decsys", command: runSidehook},
	{name: "sidehook-unwatched", config: "sidehook.yaml", profile: "unwatched.yaml", command: runSidehook},
	{name: "before", config: "sidehook.yaml", profile: "decsys", command: func(r *rig, p place) []string {
		return []string{r.options.before, "-config", p.Config}
	}},
	{name: "haproxy", config: "haproxy.cfg", command: func(_ *rig, p place) []string {
		return []string{findTool("haproxy"), "-db", "-f", p.Config}
	}},
	{name: "nginx", config: "nginx.conf", command: func(_ *rig, p place) []string {
		return []string{findTool("nginx"), "-p", p.Dir, "-c", p.Config}
	}},
	{name: "reverse-proxy", command: serveAs("reverse-proxy")},
	{name: "splice", command: serveAs("splice")},
}

// tools maps the programs that the bench runs to their packages in Debian.
var tools = map[string]string{"wrk": "wrk", "haproxy": "haproxy", "nginx": "nginx-light", "strace": "strace"}

func runSidehook(r *rig, p place) []string { return []string{r.sidehook, "-config", p.Config} }

func serveAs(role string) func(*rig, place) []string {
	return func(r *rig, p place) []string { return []string{r.self, serveCommand, role, p.Listen, p.App} }
}

func peerNames() (names []string) {
	for _, p := range peers {
		names = append(names, p.name)
	}
	return names
}

// chosen returns the peers that -peers names. A peer that is not installed is
// skipped where no name asks for it, and an error otherwise.
func (r *rig) chosen(out io.Writer) (some []peer, err error) {
	for _, p := range peers {
		_, isTool := tools[p.name]
		switch {
		case !slices.Contains(r.options.peerList(), p.name):
		case p.name == "before" && r.options.before == "":
			if r.options.peers != "" {
				return nil, errors.New("the proxy before needs -before")
			}
		case isTool && r.options.peers != "" && findTool(p.name) == "":
			return nil, fmt.Errorf("%s is not installed: apt-get install %s", p.name, tools[p.name])
		case !isTool || r.hasTool(p.name, "the proxy", out):
			some = append(some, p)
		}
	}
	return some, nil
}

// hasTool reports whether a program is installed; where it is not, it prints
// what is skipped.
func (r *rig) hasTool(name, what string, out io.Writer) bool {
	if findTool(name) != "" {
		return true
	}
	fmt.Fprintf(out, "skipped: %s needs %s, which is not installed: apt-get install %s\n", what, name, tools[name])
	return false
}

// findTool returns the path of a program, also of one in root's PATH only; empty without it.
func findTool(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	path, _ := exec.LookPath("/usr/sbin/" + name)
	return path
}

// launch starts a peer in front of the app at an address, with a folder of its own.
func (r *rig) launch(ctx context.Context, p peer, app string) (*running, error) {
	at := place{App: app, Profile: p.profile, Threads: r.options.threads, LargeHeads: p.largeHeads}
	var err error
	if at.Dir, err = os.MkdirTemp(r.dir, p.name+"-"); err != nil {
		return nil, fmt.Errorf("cannot make a folder for %s: %w", p.name, err)
	}
	// The workers of an nginx that root starts run as another user.
	if err := os.Chmod(at.Dir, 0o755); err != nil {
		return nil, err
	}
	if at.Listen, err = freeAddress(); err != nil {
		return nil, err
	}
	if at.Admin, err = freeAddress(); err != nil {
		return nil, err
	}
	if err := at.write(p); err != nil {
		return nil, err
	}
	env := []string{fmt.Sprintf("GOMAXPROCS=%d", r.options.threads), "BENCH_SECRET=not a secret: nobody listens"}
	started, err := start(at.Dir, env, p.command(r, at)...)
	if err != nil {
		return nil, err
	}
	if err := started.await(ctx, at.Listen); err != nil {
		started.stop()
		return nil, err
	}
	return &running{process: started, place: at}, nil
}

// write writes the configuration of a peer, if it has one.
func (p *place) write(of peer) error {
	if of.config == "" {
		return nil
	}
	if strings.HasSuffix(of.profile, ".yaml") {
		source, err := peerFiles.ReadFile("peers/" + of.profile)
		if err != nil {
			return err
		}
		p.Profile = filepath.Join(p.Dir, of.profile)
		if err := os.WriteFile(p.Profile, source, 0o644); err != nil {
			return err
		}
	}
	p.Config = filepath.Join(p.Dir, of.config)
	file, err := os.Create(p.Config)
	if err != nil {
		return err
	}
	defer file.Close()
	return template.Must(template.ParseFS(peerFiles, "peers/"+of.config)).Execute(file, p)
}

// request waits for one response. Unlike a connection, which the kernel
// accepts, it needs every process that serves.
func (r *running) request() error {
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + r.Listen + workloads[0].path)
	if err != nil {
		return fmt.Errorf("no response through the proxy: %w", err)
	}
	return response.Body.Close()
}

// end ends the peer and removes its folder.
func (r *running) end() {
	r.stop()
	os.RemoveAll(r.Dir)
}
