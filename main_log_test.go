package main

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"
)

func TestALogThatNobodyReadsHarmsNoRequestAndDoesNotEndTheProcess(t *testing.T) {
	f := func(name string, breakPipe func(t *testing.T, reader, writer *os.File), dropsAtOnce bool) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScenario(t, "script-mandatory")
			reader, writer := s.startWithPipe()
			breakPipe(t, reader, writer)
			s.app.Close() // a request is complained of
			s.awaitReload(2)
			response, err := http.Get("http://" + s.process.participants + "/")
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != http.StatusServiceUnavailable && response.StatusCode != http.StatusBadGateway {
				t.Errorf("got %s, want 502 or 503", response.Status)
			}
			if dropsAtOnce && s.metric("sidehook_log_lines_dropped_total") == 0 {
				t.Error("no line was counted as dropped")
			}
			s.process.stop()
		})
	}
	f("its reader is gone", func(_ *testing.T, reader, _ *os.File) { reader.Close() }, true)
	f("its reader is stuck", func(_ *testing.T, _, writer *os.File) {
		go writer.Write(make([]byte, 1<<20)) // fills the pipe, and ends with it
		time.Sleep(50 * time.Millisecond)
	}, false)
}

// startWithPipe starts the program with a pipe as stderr, of which nothing is
// read once it serves.
func (s *scenario) startWithPipe() (reader, writer *os.File) {
	s.t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		reader.Close()
		writer.Close()
	})
	cmd := command("-config", filepath.Join(s.dir, "config.yaml"))
	cmd.Stderr = writer
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.process = &process{t: s.t, cmd: cmd, output: newTranscript()}
	s.t.Cleanup(s.process.kill)
	for lines := bufio.NewScanner(io.TeeReader(reader, s.process.output)); lines.Scan(); {
		if match := servedAt.FindStringSubmatch(lines.Text()); match != nil {
			s.process.participants, s.process.admin = match[1], match[2]
			return reader, writer
		}
	}
	s.t.Fatalf("the program does not serve:\n%s", s.process.output)
	return nil, nil
}

// awaitReload reloads the configuration n times, each of which is logged.
func (s *scenario) awaitReload(n int) {
	s.t.Helper()
	const loaded = "sidehook_config_last_reload_success_timestamp_seconds"
	for range n {
		before := s.metric(loaded)
		if err := s.process.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			s.t.Fatal(err)
		}
		s.awaitMetric(loaded, func(value float64) bool { return value != before })
	}
}

// metric returns the value of a metric without labels.
func (s *scenario) metric(name string) float64 {
	s.t.Helper()
	text := fetch(s.t, http.MethodGet, "http://"+s.process.admin+"/metrics", "")
	match := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if match == nil {
		s.t.Fatalf("there is no metric %s", name)
	}
	value, err := strconv.ParseFloat(string(match[1]), 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return value
}

// awaitMetric waits until the value of a metric is as wanted.
func (s *scenario) awaitMetric(name string, isWanted func(float64) bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !isWanted(s.metric(name)); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s is still %v", name, s.metric(name))
		}
	}
}
