package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sidehook/sidehook/emitter/outbox"
)

// damage changes a byte of msg_1, in the state that a server has left.
func damage(t *testing.T, dir string) {
	t.Helper()
	file := filepath.Join(dir, "outbox.db")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(content, []byte("personal"))
	if at < 0 {
		t.Fatal("the state has no msg_1")
	}
	content[at] ^= 1
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedRecordsAreListed(t *testing.T) {
	s := newServer(t)
	s.expect("damaged", "nothing is damaged\n")
	s.stopStore()
	damage(t, s.dir)
	s = newServerIn(t, s.dir)
	s.write(func(tx *outbox.Tx) { tx.Discard(1) }) // which meets the damage
	s.expect("damaged", "FOUND", "deliveries", "crm", "msg_1")
	s.expect("damaged --json", `"kind":"deliveries","id":"msg_1","target":"crm"`)
	s.expect("deliveries show msg_1", "no delivery")
}

func TestWholeStateIsChecked(t *testing.T) {
	s := newServer(t)
	check := func(path string, asJSON bool) (string, error) {
		var out bytes.Buffer
		err := CheckState(path, &out, asJSON)
		return out.String(), err
	}
	f := func(path string, asJSON bool, wantErr string, want ...string) {
		t.Helper()
		out, err := check(path, asJSON)
		if (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
			t.Errorf("error %v, want %q", err, wantErr)
		}
		for _, text := range want {
			if !strings.Contains(out, text) {
				t.Errorf("there is no %q in\n%s", text, out)
			}
		}
		if strings.Contains(out, "personal") {
			t.Errorf("an answer is in\n%s", out)
		}
	}

	f(s.dir, false, "another process uses it")
	copied := filepath.Join(t.TempDir(), "copy")
	if _, err := s.run("backup " + copied); err != nil {
		t.Fatal(err)
	}
	f(copied, false, "", "crm     1        0     0\n", "damaged   0 records")
	s.stopStore()
	f(s.dir, false, "", "state     "+s.dir+", format 2, ", "crm     1        0     0\n")
	f(s.dir, true, "", `{"ok":true,"format":2,`, `"targets":{"crm":{"pending":1,"dead":0,"delivered":0}}`, `"damaged":[]`)
	damage(t, s.dir)
	f(s.dir, false, "the state is damaged", "damaged   1 records, 1 deliveries", "deliveries")
	f(s.dir, true, "the state is damaged", `{"ok":false`, `"kind":"deliveries"`)
	f(t.TempDir(), false, "no such file")
	f("damaged_test.go", false, "cannot check the state")
}
