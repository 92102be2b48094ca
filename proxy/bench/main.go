package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	duration time.Duration
	rounds   int
	threads  int
	idle     int
	tries    int
	only     string
	peers    string
	before   string
	isSmoke  bool
}

// Children die with the thread that started them (Pdeathsig), so main stays on
// the main thread, which lives as long as the process.
func init() { runtime.LockOSThread() }

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 1 && args[0] == serveCommand {
		fmt.Fprintln(stderr, serve(args[1:]))
		return 1
	}
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := bench(ctx, o, stdout); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&o.duration, "duration", 3*time.Second, "how long each proxy is driven in each round, in whole seconds")
	flags.IntVar(&o.rounds, "rounds", 3, "how often each proxy is driven with each workload")
	flags.IntVar(&o.threads, "threads", 1, "the threads that each proxy gets")
	flags.IntVar(&o.idle, "idle", 5000, "the idle connections to each proxy")
	flags.IntVar(&o.tries, "tries", 10, "how often each time is taken")
	flags.StringVar(&o.only, "only", "", "one of "+strings.Join(sectionNames(), ", ")+"; all by default")
	flags.StringVar(&o.peers, "peers", "", "some of "+strings.Join(peerNames(), ",")+"; by default all that are installed")
	flags.StringVar(&o.before, "before", os.Getenv("SIDEHOOK_BENCH_BEFORE"), "another sidehook `binary`, the peer \"before\"; by default $SIDEHOOK_BENCH_BEFORE")
	flags.BoolVar(&o.isSmoke, "smoke", false, "run every section for a moment; other sizes are ignored")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.isSmoke {
		o.duration, o.rounds, o.idle, o.tries = time.Second, 1, 100, 1
	}
	err = o.check()
	if err != nil {
		fmt.Fprintln(stderr, err)
	}
	return o, err
}

func (o options) check() error {
	if o.duration < time.Second || min(o.rounds, o.threads, o.idle, o.tries) < 1 {
		return errors.New("-duration takes 1s or more, -rounds, -threads, -idle and -tries 1 or more")
	}
	if o.only != "" && !slices.Contains(sectionNames(), o.only) {
		return fmt.Errorf("no section %q; there are %s", o.only, strings.Join(sectionNames(), ", "))
	}
	for _, name := range o.peerList() {
		if !slices.Contains(peerNames(), name) {
			return fmt.Errorf("no proxy %q; there are %s", name, strings.Join(peerNames(), ", "))
		}
	}
	return nil
}

func (o options) wants(section string) bool { return o.only == "" || o.only == section }

func (o options) peerList() []string {
	if o.peers == "" {
		return peerNames()
	}
	return strings.Split(o.peers, ",")
}

// sectionNames are what -only chooses from: the workloads, and the rest.
func sectionNames() []string {
	names := []string{}
	for _, w := range workloads {
		names = append(names, w.name)
	}
	return append(names, "times", "added", "idle")
}

// bench runs every section, in the order in which they are printed.
func bench(ctx context.Context, o options, out io.Writer) error {
	r, err := newRig(ctx, o)
	if err != nil {
		return err
	}
	defer r.close()
	describe(out, o)
	peers, err := r.chosen(out)
	if err != nil {
		return err
	}
	some := peers
	for _, w := range workloads {
		if !o.wants(w.name) || !r.hasTool("wrk", w.name, out) {
			continue
		}
		if err := r.compare(w, some, out); err != nil {
			return err
		}
		if o.isSmoke {
			some = onlySidehook(peers) // the first workload has shown that the others work
		}
	}
	if o.wants("times") {
		if err := r.times(some, out); err != nil {
			return err
		}
	}
	if o.wants("added") {
		if err := r.added(peers, out); err != nil {
			return err
		}
	}
	if o.wants("idle") {
		return r.idle(peers, out)
	}
	return nil
}
