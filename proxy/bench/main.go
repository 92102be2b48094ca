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

// options are what the flags say.
type options struct {
	duration time.Duration
	rounds   int
	threads  int
	only     string
	peers    string
}

// Children die with the thread that started them, so that is the main thread,
// which lives as long as the process.
func init() { runtime.LockOSThread() }

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 1 && args[0] == serveCommand {
		fmt.Fprintln(stderr, serve(args[1:]))
		return 1
	}
	o, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := bench(ctx, o, stdout); err != nil {
		if ctx.Err() != nil {
			err = errors.New("stopped before the end")
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
	flags.StringVar(&o.only, "only", "", "one of "+strings.Join(sectionNames(), ", ")+"; without it, all")
	flags.StringVar(&o.peers, "peers", "", "some of "+strings.Join(peerNames(), ",")+"; without it, all")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	err = o.check()
	if err != nil {
		fmt.Fprintln(stderr, err)
	}
	return o, err
}

func (o options) check() error {
	if o.duration < time.Second || o.rounds < 1 || o.threads < 1 {
		return errors.New("-duration takes 1s or more, -rounds and -threads 1 or more")
	}
	if o.only != "" && !slices.Contains(sectionNames(), o.only) {
		return fmt.Errorf("there is no workload %q; there are %s", o.only, strings.Join(sectionNames(), ", "))
	}
	for _, name := range o.peerList() {
		if !slices.Contains(peerNames(), name) {
			return fmt.Errorf("there is no proxy %q; there are %s", name, strings.Join(peerNames(), ", "))
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
	return append(names, "times", "added")
}

// bench does everything, in the order in which it is printed.
func bench(ctx context.Context, o options, out io.Writer) error {
	peers := chosen(o)
	if err := checkTools(peers); err != nil {
		return err
	}
	r, err := newRig(ctx, o)
	if err != nil {
		return err
	}
	defer r.close()
	describe(out, o)
	for _, w := range workloads {
		if !o.wants(w.name) {
			continue
		}
		if err := r.compare(w, peers, out); err != nil {
			return err
		}
	}
	if o.wants("times") {
		if err := r.times(peers, out); err != nil {
			return err
		}
	}
	if o.wants("added") {
		return r.added(out)
	}
	return nil
}
