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
)

// options are what the flags say.
type options struct {
	deliveries  int
	queued      int
	journeys    int
	events      int
	concurrency int
	rounds      int
	duration    time.Duration
	only        string
	dir         string
}

// bench is one run.
type bench struct {
	options
	ctx context.Context
	// dir is where binaries and state files go.
	dir    string
	binary string
	out    *report
	// walks counts the state folders of latency and isolation.
	walks int
}

// sections are what -only chooses from, in the order in which they run.
var sections = []struct {
	name string
	run  func(*bench) error
}{
	{"idle", (*bench).idle},
	{"deliver", (*bench).deliver},
	{"latency", (*bench).latency},
	{"isolation", (*bench).isolation},
	{"reopen", (*bench).reopen},
	{"cost", (*bench).cost},
	{"drain", (*bench).drain},
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := measure(ctx, o, stdout); err != nil {
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
	flags.IntVar(&o.deliveries, "deliveries", 100_000, "the backlog of deliver and reopen")
	flags.IntVar(&o.queued, "queued", 1_000_000, "the backlog of drain, and the large one of cost")
	flags.IntVar(&o.journeys, "journeys", 1_000_000, "the open journeys of cost")
	flags.IntVar(&o.events, "events", 20_000, "the events of each row of cost")
	flags.IntVar(&o.concurrency, "concurrency", 16, "the attempts that a target takes at the same time")
	flags.IntVar(&o.rounds, "rounds", 3, "how often latency and isolation are measured; the median counts")
	flags.DurationVar(&o.duration, "duration", 10*time.Second, "how long each of these rounds takes")
	flags.StringVar(&o.only, "only", "", "one of "+strings.Join(names(), ", ")+"; without it, all")
	flags.StringVar(&o.dir, "dir", "", "where state files go; the default is the system's place for temporary files")
	if err := flags.Parse(args); err != nil {
		return o, err
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
		return fmt.Errorf("there is no section %q; there are %s", o.only, strings.Join(names(), ", "))
	}
	if min(o.deliveries, o.queued, o.journeys, o.events) < 1000 || min(o.concurrency, o.rounds) < 1 || o.duration < time.Second {
		return errors.New("numbers of deliveries, journeys and events must be 1000 or more, -rounds and -concurrency 1 or more, -duration 1s or more")
	}
	return nil
}

func measure(ctx context.Context, o options, stdout io.Writer) error {
	dir, err := os.MkdirTemp(o.dir, "sidehook-bench-")
	if err != nil {
		return fmt.Errorf("cannot make a folder for the state files: %w", err)
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, ctx: ctx, dir: dir, binary: filepath.Join(dir, "sidehook"), out: &report{stdout}}
	if err := b.build(); err != nil {
		return err
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
