package main

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"
)

func TestIdleConnectionsLeaveDescriptorsForEverythingElse(t *testing.T) {
	s := newScenario(t, "script-mandatory")
	release := holdState(t, filepath.Join(s.dir, "state"))
	cmd := command("-config", filepath.Join(s.dir, "config.yaml"))
	cmd.Args = append([]string{"sh", "-c", `ulimit -n 64; exec "$0" "$@"`}, cmd.Args...)
	cmd.Path = "/bin/sh"
	s.process = startCommand(t, cmd)
	s.replay.Address = s.process.participants

	first := s.connect()
	var idle []net.Conn
	for range 60 {
		idle = append(idle, s.connect())
	}
	expectStatus(t, s.connect(), http.StatusServiceUnavailable)
	expectStatus(t, first, http.StatusNotFound) // by the app
	fetch(t, http.MethodGet, "http://"+s.process.admin+"/live", "")
	fetch(t, http.MethodGet, "http://"+s.process.admin+"/ready", "")
	release()
	s.awaitMetric("sidehook_store_open", func(open float64) bool { return open == 1 })

	for _, conn := range append(idle, first) {
		conn.Close()
	}
	s.awaitMetric("sidehook_connections", func(n float64) bool { return n == 0 })
	s.replayAll()
	s.finish()
}

// holdState opens a state until release is called, so that nobody else can.
func holdState(t *testing.T, dir string) (release func()) {
	t.Helper()
	store := outbox.New(outbox.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	stop := background(func(err error) { t.Error(err) }, store.Run)
	if err := store.Do(t.Context(), func(*outbox.Tx) {}); err != nil {
		t.Fatal(err)
	}
	return func() { _ = stop() }
}

// connect opens a connection of a participant.
func (s *scenario) connect() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.process.participants)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return conn
}

// expectStatus sends a request and checks the status of its response.
func expectStatus(t *testing.T, conn net.Conn, want int) {
	t.Helper()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprint(conn, "GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != want {
		t.Errorf("got %s, want %d", response.Status, want)
	}
}
