package logs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestLinesAreWrittenInTheirOrder(t *testing.T) {
	var out strings.Builder
	l := New(&out)
	for i := range 1000 {
		l.Info("a line", "number", i)
	}
	l.Close()
	numbers := regexp.MustCompile(`(?m)number=(\d+)$`).FindAllStringSubmatch(out.String(), -1)
	if len(numbers) != 1000 || l.Dropped() != 0 {
		t.Fatalf("%d lines were written, and %d dropped", len(numbers), l.Dropped())
	}
	for i, number := range numbers {
		if number[1] != strconv.Itoa(i) {
			t.Fatalf("line %d has number %s", i, number[1])
		}
	}
}

var noticed = regexp.MustCompile(`msg="log lines were dropped: [^"]*" lines=(\d+)`)

func TestAPipeThatNobodyReadsMakesNobodyWaitAndDropsLines(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	l := New(writer)
	const lines = 20_000 // more than a pipe and the queue hold
	for i := range lines {
		l.Info("a line that is long enough to fill the pipe soon", "number", i)
	}
	dropped := l.Dropped()
	if dropped == 0 || dropped >= lines {
		t.Fatalf("%d of %d lines were dropped", dropped, lines)
	}
	scanner := bufio.NewScanner(reader)
	written := uint64(0)
	for scanner.Scan() {
		if match := noticed.FindStringSubmatch(scanner.Text()); match != nil {
			if match[1] != strconv.FormatUint(dropped, 10) {
				t.Errorf("%s lines are reported as dropped, want %d", match[1], dropped)
			}
			break
		}
		written++
	}
	if written != lines-dropped {
		t.Errorf("%d lines were written and %d dropped, of %d", written, dropped, lines)
	}
	l.Close()
}

func TestAPipeWithoutAReaderDropsLines(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	reader.Close()
	l := New(writer)
	for range 3 {
		l.Info("a line")
	}
	l.Close()
	l.Info("a line after the end")
	if l.Dropped() != 4 {
		t.Errorf("%d lines were dropped, want 4", l.Dropped())
	}
}

// output fails while it is broken, after a part of what it gets.
type output struct {
	mu       sync.Mutex
	isBroken bool
	strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.isBroken {
		n, _ := o.Builder.Write(p[:len(p)/2])
		return n, errors.New("no space left on device")
	}
	return o.Builder.Write(p)
}

func (o *output) setBroken(isBroken bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.isBroken = isBroken
}

func TestDroppedLinesAreReportedOnceWhenLinesFlowAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &output{isBroken: true}
		l := New(out)
		for range 2 {
			l.Info("lost")
			synctest.Wait()
		}
		out.setBroken(false)
		for range 3 {
			l.Info("written")
			synctest.Wait()
		}
		l.Close()
		if found := noticed.FindAllStringSubmatch(out.String(), -1); len(found) != 1 || found[0][1] != "2" {
			t.Errorf("the output reports %q, want 2 dropped lines once:\n%s", found, out)
		}
		if n := strings.Count(out.String(), "msg=written"); n != 3 {
			t.Errorf("%d lines were written after the output was mended, want 3", n)
		}
	})
}

func TestClosingWaitsASecondForAStuckOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, writer := io.Pipe()
		l := New(writer)
		l.Info("stuck")
		began := time.Now()
		l.Close()
		if waited := time.Since(began); waited != time.Second {
			t.Errorf("closing took %v", waited)
		}
		reader.Close()
	})
}

func TestTheMetricCountsDroppedLines(t *testing.T) {
	registry := prometheus.NewRegistry()
	l := New(io.Discard)
	l.Register(registry)
	l.Close()
	l.Info("too late")
	families, err := registry.Gather()
	if err != nil || len(families) != 1 {
		t.Fatal(families, err)
	}
	if got := fmt.Sprint(families[0].GetName(), families[0].Metric[0].GetCounter().GetValue()); got != "sidehook_log_lines_dropped_total1" {
		t.Errorf("the metric is %s", got)
	}
}
