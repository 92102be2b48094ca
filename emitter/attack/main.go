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
	"sync"
	"syscall"

	"github.com/sidehook/sidehook/emitter/rig"
)

// smallAtATime is how many small attacks are played at the same time.
const smallAtATime = 6

// options are the flags.
type options struct {
	only      string
	binary    string
	dir       string
	isLarge   bool
	hasCgroup bool
}

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
	verdicts, err := playAll(ctx, o, stdout)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return printVerdicts(stdout, verdicts)
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("attack", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.only, "only", "", "one of "+strings.Join(names(), ", ")+"; all by default")
	flags.StringVar(&o.binary, "sidehook", os.Getenv("SIDEHOOK_ATTACK_BINARY"), "another sidehook `binary` to attack; by default $SIDEHOOK_ATTACK_BINARY, or else this tree")
	flags.StringVar(&o.dir, "dir", "/var/tmp", "the folder for state files")
	flags.BoolVar(&o.isLarge, "large", false, "play attacks at full size, one at a time, and judge delays")
	flags.BoolVar(&o.hasCgroup, "cgroup", false, "run sidehook in a memory cgroup of 256 MB")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.only != "" && !slices.Contains(names(), o.only) {
		err = fmt.Errorf("no attack %q; there are %s", o.only, strings.Join(names(), ", "))
		fmt.Fprintln(stderr, err)
	}
	return o, err
}

func names() (list []string) {
	for _, a := range attacks() {
		list = append(list, a.name)
	}
	return list
}

// playAll plays the attacks and prints a table of their outcomes.
func playAll(ctx context.Context, o options, stdout io.Writer) ([]verdict, error) {
	dir, err := os.MkdirTemp(o.dir, "sidehook-attack-")
	if err != nil {
		return nil, fmt.Errorf("cannot make a folder for state files: %w", err)
	}
	defer os.RemoveAll(dir)
	if o.binary == "" {
		o.binary = filepath.Join(dir, "sidehook")
		if err := rig.Build(ctx, o.binary); err != nil {
			return nil, err
		}
	}
	if reason := cgroupsUnavailable(); o.hasCgroup && reason != "" {
		fmt.Fprintf(stdout, "skipped: the memory cgroup, which cannot be made: %s\n", reason)
		o.hasCgroup = false
	}
	fmt.Fprintf(stdout, "%s, %d CPUs\n", runtime.Version(), runtime.NumCPU())
	chosen := slices.DeleteFunc(attacks(), func(a attack) bool { return o.only != "" && a.name != o.only })
	verdicts := playTogether(ctx, o, dir, chosen, stdout)
	if ctx.Err() != nil {
		return nil, errors.New("interrupted")
	}
	printTable(stdout, verdicts)
	return verdicts, nil
}

// playTogether plays large attacks in turn, and small ones some at a time.
func playTogether(ctx context.Context, o options, dir string, chosen []attack, progress io.Writer) []verdict {
	atATime := smallAtATime
	if o.isLarge {
		atATime = 1
	}
	verdicts := make([]verdict, len(chosen))
	slots := make(chan struct{}, atATime)
	var playing sync.WaitGroup
	for i, a := range chosen {
		slots <- struct{}{}
		playing.Go(func() {
			defer func() { <-slots }()
			out, err := play(ctx, o, filepath.Join(dir, a.name), a)
			verdicts[i] = judge(out, err, o.isLarge)
			fmt.Fprintf(progress, "%s: %v after %.1f s\n", a.name, verdicts[i], out.took.Seconds())
		})
	}
	playing.Wait()
	return verdicts
}
