package cli

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/emitter/outbox"
	"github.com/sidehook/sidehook/rules/config"
)

func TestBackupCopiesTheState(t *testing.T) {
	s := newServer(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "outbox.db")
	s.expect("backup "+path, path+" has ")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v (%v), want mode 0600", info, err)
	}
	before, _ := os.ReadFile(path)
	s.expect("backup "+path, "exists already")
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file was replaced")
	}
	expectState(t, dir)
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("there are %v", files)
	}
}

func TestBackupWritesToStandardOutput(t *testing.T) {
	s := newServer(t)
	temporary, dir := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temporary)
	content, err := s.run("backup -")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "outbox.db"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	expectState(t, dir)
	if files, _ := os.ReadDir(temporary); len(files) != 0 {
		t.Errorf("it leaves %v", files)
	}
	if _, err := os.Stat("-"); err == nil {
		t.Error(`there is a file called "-"`)
	}
}

// expectState checks that a folder has a state file with the server's delivery.
func expectState(t *testing.T, dir string) {
	t.Helper()
	store := outbox.New(outbox.Options{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- store.Run(ctx) }()
	if err := store.Do(t.Context(), func(*outbox.Tx) {}); err != nil {
		t.Fatal(err)
	}
	if d, err := store.Load(1); err != nil || d == nil || d.ID != "msg_1" || string(d.Body) != "personal" {
		t.Errorf("the copy has %v, %v", d, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestAnAbortedBackupLeavesNoFile(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Read(make([]byte, 4096))
		_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nonly this"))
	}()
	dir := t.TempDir()
	client, err := newClient(listener.Addr().String(), config.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.saveBackup(t.Context(), filepath.Join(dir, "copy")); err == nil || !strings.Contains(err.Error(), "cannot finish the backup after 9 bytes") {
		t.Errorf("got %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("there are %v", files)
	}
}

func TestTheServerIsNotAskedForABackupThatCannotBeWritten(t *testing.T) {
	client, err := newClient("127.0.0.1:0", config.Secret{}) // where no server can be
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "none", "file")
	if _, err := client.saveBackup(t.Context(), path); err == nil || !strings.Contains(err.Error(), "cannot write the backup") {
		t.Errorf("got %v", err)
	}
}

func TestABackupReplacesNoFile(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	for _, path := range []string{from, to} {
		if err := os.WriteFile(path, []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := publish(from, to); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("got %v", err)
	}
	if content, _ := os.ReadFile(to); string(content) != to {
		t.Errorf("it is now %q", content)
	}
}
