package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/sidehook/sidehook/emitter/rig"
)

// options are the flags.
type options struct {
	deliveries  int
	queued      int
	journeys    int
	navigations int
	concurrency int
	rounds      int
	kills       int
	duration    time.Duration
	only        string
	before      string
	dir         string
	isSmoke     bool
}

// bench is one run.
type bench struct {
	options
	ctx context.Context
	// dir holds the built binary and the state folders.
	dir    string
	builds []build
	out    *report
	states int // made so far
}

// sections are what -only chooses from, in the order in which they run.
var sections = []struct {
	name string
	run  func(*bench) error
}{
	{"idle", (*bench).idle},
	{"reopen", (*bench).reopen},
	{"record", (*bench).record},
	{"flood", (*bench).flood},
	{"deliver", (*bench).deliver},
	{"latency", (*bench).latency},
	{"isolation", (*bench).isolation},
	{"console", (*bench).console},
	{"kill", (*bench).kill},
	{"drain", (*bench).drain},
	{"replicas", (*bench).replicas},
	{"outage", (*bench).outage},
}

// Children die with the thread that started them (Pdeathsig), so main stays on
// the main thread, which lives as long as the process.
func init() { runtime.LockOSThread() }

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := measure(ctx, o, stdout); err != nil {
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
	flags.IntVar(&o.deliveries, "deliveries", 100_000, "the backlog of deliver and reopen")
	flags.IntVar(&o.queued, "queued", 100_000, "the backlog of drain and replicas, the navigations of outage, and the large backlog of record")
	flags.IntVar(&o.journeys, "journeys", 100_000, "the open journeys of record")
	flags.IntVar(&o.navigations, "navigations", 12_000, "the navigations in each round of record")
	flags.IntVar(&o.concurrency, "concurrency", 16, "how many attempts a target takes at a time")
	flags.IntVar(&o.rounds, "rounds", 3, "how many rounds are run; medians are printed")
	flags.IntVar(&o.kills, "kills", 20, "how often the process is killed")
	flags.DurationVar(&o.duration, "duration", 5*time.Second, "the length of a round of flood, latency, isolation, console and replicas")
	flags.StringVar(&o.only, "only", "", "one of "+strings.Join(names(), ", ")+"; all by default")
	flags.StringVar(&o.before, "before", os.Getenv("SIDEHOOK_BENCH_BEFORE"), "another sidehook `binary` to measure in turn; by default $SIDEHOOK_BENCH_BEFORE")
	flags.StringVar(&o.dir, "dir", "/var/tmp", "the folder for state files")
	flags.BoolVar(&o.isSmoke, "smoke", false, "run every section for a moment; other sizes are ignored")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.isSmoke {
		o.deliveries, o.queued, o.journeys, o.navigations = 500, 500, 500, 600
		o.rounds, o.kills, o.duration = 1, 1, 300*time.Millisecond
	}
	if err = o.check(); err != nil {
		fmt.Fprintln(stderr, err)
	}
	return o, err
}

func names() (list []string) {
	for _, section := range sections {
		list = append(list, section.name)
	}
	return list
}

func (o options) check() error {
	if o.only != "" && !slices.Contains(names(), o.only) {
		return fmt.Errorf("no section %q; there are %s", o.only, strings.Join(names(), ", "))
	}
	if min(o.deliveries, o.queued, o.journeys, o.navigations) < 100 || min(o.concurrency, o.rounds, o.kills) < 1 || o.duration < 100*time.Millisecond {
		return errors.New("-deliveries, -queued, -journeys and -navigations must be 100 or more, -concurrency, -rounds and -kills 1 or more, -duration 100ms or more")
	}
	return nil
}

func measure(ctx context.Context, o options, stdout io.Writer) error {
	dir, err := os.MkdirTemp(o.dir, "sidehook-bench-")
	if err != nil {
		return fmt.Errorf("cannot make a folder for state files: %w", err)
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, ctx: ctx, dir: dir, out: &report{stdout}}
	b.builds = []build{{"this tree", filepath.Join(dir, "sidehook")}}
	if err := rig.Build(ctx, b.builds[0].path); err != nil {
		return err
	}
	if o.before != "" {
		b.builds = append(b.builds, build{"before", o.before})
	}
	load, _ := os.ReadFile("/proc/loadavg")
	fmt.Fprintf(stdout, "%s, %d CPUs, load before: %s", runtime.Version(), runtime.NumCPU(), load)
	for _, section := range sections {
		if o.only != "" && o.only != section.name {
			continue
		}
		if err := section.run(b); err != nil {
			return fmt.Errorf("%s: %w", section.name, err)
		}
	}
	return nil
}

// sleep sleeps for d, or until the run is interrupted.
func (b *bench) sleep(d time.Duration) {
	select {
	case <-time.After(d):
	case <-b.ctx.Done():
	}
}
