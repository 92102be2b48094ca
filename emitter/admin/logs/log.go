package logs

import (
	"bytes"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/sidehook/sidehook/rules/config"
)

const (
	// maxQueued is how many bytes of lines may wait to be written. As many again
	// may be in the write that is under way.
	maxQueued = 256 << 10
	// flushTimeout is how long Close waits for what is queued.
	flushTimeout = time.Second
)

// Log is a log that never waits for its output.
type Log struct {
	*slog.Logger
	settings settings
	out      io.Writer
	// notice formats the line that reports dropped ones into noticed. Like
	// reported, the number of those that have been, they belong to the goroutine
	// that writes.
	notice   *slog.Logger
	noticed  bytes.Buffer
	reported uint64

	mu      sync.Mutex
	queue   []byte // whole lines
	closed  bool
	dropped uint64 // lines, since New

	wake  chan struct{} // has a token when there is something to do
	ended chan struct{} // closed when the goroutine has returned
}

// New returns a Log of text lines from level info on, and starts the goroutine that
// writes them to out. Close ends it.
func New(out io.Writer) *Log {
	l := &Log{out: out, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	l.Logger = slog.New(newHandler(l, &l.settings))
	l.notice = slog.New(newHandler(&l.noticed, &l.settings))
	go l.run()
	return l
}

// Apply lets the format and the level of a configuration take effect, also on the
// loggers that were made from this one.
func (l *Log) Apply(c config.Log) { l.settings.apply(c) }

// Register registers the metric of dropped lines.
func (l *Log) Register(registerer prometheus.Registerer) {
	promauto.With(registerer).NewCounterFunc(prometheus.CounterOpts{
		Name: "sidehook_log_lines_dropped_total",
		Help: "Log lines that were dropped because the output was stuck or broken.",
	}, func() float64 { return float64(l.Dropped()) })
}

// Dropped returns how many lines have been dropped since New.
func (l *Log) Dropped() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// Write implements io.Writer, for slog's handlers: it queues a line, or drops
// it, and never fails.
func (l *Log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || len(l.queue)+len(line) > maxQueued {
		l.dropped++
		return len(line), nil
	}
	l.queue = append(l.queue, line...)
	l.wakeUp()
	return len(line), nil
}

// Close writes what is queued, for at most a second, and ends the Log. Lines
// that are logged later are dropped. A write that is stuck is left behind, for
// the end of the process.
func (l *Log) Close() {
	l.mu.Lock()
	l.closed = true
	l.wakeUp()
	l.mu.Unlock()
	select {
	case <-l.ended:
	case <-time.After(flushTimeout):
	}
}

func (l *Log) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run writes what is queued until the Log is closed.
func (l *Log) run() {
	defer close(l.ended)
	var lines []byte
	for isClosed := false; !isClosed; {
		<-l.wake
		l.mu.Lock()
		lines, l.queue = l.queue, lines[:0]
		dropped := l.dropped
		isClosed = l.closed
		l.mu.Unlock()
		if len(lines) > 0 && l.write(lines) {
			l.report(dropped)
		}
	}
}

// write writes lines and reports whether all of them were written. Those that
// were not, or not whole, are dropped.
func (l *Log) write(lines []byte) bool {
	n, err := l.out.Write(lines)
	if err == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped += uint64(bytes.Count(lines[n:], []byte("\n")))
	return false
}

// report writes a line about those of dropped that no line has reported.
func (l *Log) report(dropped uint64) {
	if dropped == l.reported {
		return
	}
	l.noticed.Reset()
	l.notice.Warn("log lines were dropped: the output was stuck or broken", "lines", dropped-l.reported)
	if _, err := l.out.Write(l.noticed.Bytes()); err == nil {
		l.reported = dropped
	}
}
