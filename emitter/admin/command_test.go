package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sidehook/sidehook/emitter/outbox"

	"github.com/sidehook/sidehook/rules/config"
)

// say runs a command against the office, as its operator would.
func (o *office) say(line string) (out string, err error) {
	o.t.Helper()
	words := strings.Fields(line)
	var stdout, stderr bytes.Buffer
	args := append([]string{"-admin", o.Addr().String()}, words[1:]...)
	if words[0] == "deliveries" {
		args = append([]string{words[1], "-admin", o.Addr().String()}, words[2:]...)
	}
	known, err := Command(context.Background(), words[0], args, strings.NewReader("p-1\nmore"), &stdout, &stderr)
	if !known {
		o.t.Fatalf("there is no command %q", words[0])
	}
	return stdout.String() + stderr.String(), err
}

// says checks what a command prints, or why it fails.
func (o *office) says(line string, want ...string) {
	o.t.Helper()
	out, err := o.say(line)
	if err != nil {
		out += err.Error()
	}
	for _, part := range want {
		if !strings.Contains(out, part) {
			o.t.Errorf("%s\n%s\nis without %q", line, out, part)
		}
	}
	if strings.Contains(out, "personal") != strings.Contains(line, "-body") {
		o.t.Errorf("%s shows a body or does not:\n%s", line, out)
	}
}

func (o *office) write(fn func(*outbox.Tx)) {
	o.t.Helper()
	if err := o.config.Store.Do(o.t.Context(), fn); err != nil {
		o.t.Fatal(err)
	}
}

// fill makes msg_2 to msg_n, all dead, of two rules in turn.
func (o *office) fill(n int) {
	o.t.Helper()
	o.write(func(tx *outbox.Tx) {
		for i := 2; i <= n; i++ {
			tx.Enqueue(outbox.Delivery{
				ID: fmt.Sprintf("msg_%d", i), Target: "crm", Rule: fmt.Sprintf("rule%d", i%2), Lane: fmt.Sprint("p", i), Owner: "p", Survey: "fzd",
				Event: "page_navigation", Body: []byte("personal"), Created: time.Now().Add(-time.Duration(i) * time.Hour),
			})
			tx.Dead(uint64(i), outbox.Attempt{At: time.Now(), Status: 500, Reason: "status 500", Excerpt: []byte("oh\x1b[2J\tno")})
		}
	})
}

func TestAnOperatorListsAndShowsDeliveries(t *testing.T) {
	o := newOffice(t)
	o.fill(5)
	o.says("deliveries list", "ID ", "msg_1  crm     waiting", "msg_5  crm     dead")
	o.says("deliveries list -state dead -rule rule0 -limit 1", "msg_", "there are more")
	o.says("deliveries list -since 150m -state dead", "msg_2")
	o.says("deliveries list -until 2h30m -state dead -json", `[{"id":"msg_5"`)
	o.says("deliveries list -target none", "there are none")
	o.says("deliveries list -since never", "400", "since must be a time")
	o.says("deliveries show msg_3", "state ", "dead", "reason", "status 500", "answer", "oh·[2J·no")
	o.says("deliveries show msg_3 -body", "personal")
	o.says("deliveries show -json msg_3", `"excerpt":"oh\u001b[2J\tno"`)
	o.says("deliveries show msg_9", "there is no delivery with this id")
	o.says("deliveries show", "say: sidehook deliveries show ID")
	o.says("deliveries list -nonsense", "flag provided but not defined")
}

func TestAnOperatorRedeliversAndDiscards(t *testing.T) {
	o := newOffice(t)
	o.fill(1200)
	o.says("deliveries redeliver", "say which deliveries")
	o.says("deliveries redeliver msg_1", "still pending")
	o.says("deliveries redeliver -rule rule0 -dry-run", "600 deliveries would be sent again")
	o.says("deliveries redeliver msg_2", "1 delivery will be sent again")
	o.says("deliveries redeliver -rule rule0 -rate 1/s", "599 deliveries will be sent again")
	o.says("deliveries redeliver -state pending", "0 deliveries", "601 deliveries left as before")
	o.says("deliveries list -state pending -limit 3", "waiting (redelivered)")
	due, _, err := o.config.Store.Due("crm", time.Now().Add(300*time.Second), 1000, nil)
	if err != nil || len(due) < 290 || len(due) > 310 {
		t.Errorf("%d are due within 300 s at 1/s (%v)", len(due), err)
	}
	o.says("deliveries discard -rule rule1 -dry-run -json", `{"count":599,"pending":0,"after":""}`)
	o.says("deliveries discard -rule rule1", "599 deliveries discarded")
	o.says("deliveries discard msg_1", "1 delivery discarded")
	o.says("deliveries discard msg_1", "there is no delivery with this id")
	if known, _ := o.config.Store.Target("crm"); known.Pending != 600 || known.Dead != 0 {
		t.Errorf("the target has %+v", known)
	}
}

func TestNoPaceLeadsFurtherThanADay(t *testing.T) {
	o := newOffice(t)
	o.fill(40)
	o.says("deliveries redeliver -state dead -rate 1/h -dry-run", "39 deliveries would be")
	o.says("deliveries redeliver -state dead -rate 1/h", "more than a day from now", "25 deliveries will be sent again before that")
	o.says("deliveries redeliver -state dead", "14 deliveries will be sent again")
}

// What is delivered again while a redelivery is still on its way through the
// delivered ones must not come round for ever.
func TestARedeliveryOfWhatWasDeliveredEnds(t *testing.T) {
	o := newOffice(t)
	o.write(func(tx *outbox.Tx) { tx.Delivered(1, outbox.Attempt{At: time.Now().Add(-time.Minute)}) })
	one, err := newAct(map[string][]string{"state": {"delivered"}}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	o.write(func(tx *outbox.Tx) {
		tx.Redeliver(1, time.Now())
		tx.Delivered(1, outbox.Attempt{At: time.Now()})
	})
	if list, _, err := o.config.Store.List(one.query); err != nil || len(list) != 0 {
		t.Errorf("it comes round: %v, %v", list, err)
	}
	again, err := newAct(map[string][]string{"state": {"delivered"}, "after": {fmt.Sprintf("%d.%d.ff", one.query.Before.UnixNano(), one.due.Add(time.Hour).UnixNano())}}, time.Now())
	if err != nil || !again.query.Before.Equal(one.query.Before) || !again.due.Equal(one.due.Add(time.Hour)) || again.query.After != "ff" {
		t.Errorf("the next step forgets when it began, its pace or its place: %+v, %v", again, err)
	}
}

func TestAnOperatorSendsToAnotherTarget(t *testing.T) {
	o := newOffice(t)
	o.fill(130)
	o.says("deliveries redeliver -state dead -to none", "no target of this name")
	o.mayMove = fmt.Errorf("it must not see that")
	o.says("deliveries redeliver -state dead -to erp", "it must not see that")
	if known, _ := o.config.Store.Target("erp"); known.Pending != 0 {
		t.Errorf("%d were sent though it must not see them", known.Pending)
	}
	o.mayMove = nil
	o.says("deliveries redeliver -state dead -to erp -dry-run", "129 deliveries would be")
	o.says("deliveries redeliver -state dead -to erp", "129 deliveries will be sent again")
	o.says("deliveries redeliver msg_1 -to erp", "1 delivery will be sent again")
	o.says("deliveries redeliver msg_1 -to erp", "still pending")
	o.says("deliveries show msg_2", "crm", "dead", "erp", "waiting")
	o.says("deliveries show msg_2 -target erp", "redelivered  true")
	o.says("deliveries list -target erp -limit 1", "msg_")
}

func TestAnOperatorDisablesAndEnablesATarget(t *testing.T) {
	o := newOffice(t)
	o.says("targets disable crm", "crm is disabled")
	if known, _ := o.config.Store.Target("crm"); known.Cause != outbox.CauseOperator || known.Disabled.IsZero() {
		t.Errorf("the store has %+v", known)
	}
	o.says("targets enable crm", "crm is enabled")
	o.write(func(tx *outbox.Tx) { tx.Enqueue(outbox.Delivery{ID: "msg_x", Target: "old", Lane: "p"}) })
	o.says("targets", "NAME", "crm   up ", "erp   down", "old   not configured  1")
	o.says("targets list -json", `[{"name":"crm","state":"up"`)
	o.says("targets enable none", "no target of this name")
	o.says("targets erase crm", "say: sidehook targets")
}

func TestAnOperatorHasAParticipantForgotten(t *testing.T) {
	o := newOffice(t)
	o.says("forget p-1", "erased: 1 journeys with 2 answers; deliveries: 3 pending, 0 dead, 0 delivered")
	o.says("forget - -survey fzd -json", `{"journeys":1,"answers":2,"pending":3,"dead":0,"delivered":0}`)
	o.cannotForget = outbox.ErrBusy
	o.says("forget p-1", "409", "in progress")
	o.says("forget", "say: sidehook forget PARTICIPANT")
	if got := strings.Join(o.forgotten, ","); got != "p-1 ,p-1 fzd,p-1 " {
		t.Errorf("forgotten are %q", got)
	}
}

func TestAnOperatorBacksUpTheState(t *testing.T) {
	o := newOffice(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "outbox.db")
	o.says("backup "+path, path+" has ")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v (%v), want mode 0600", info, err)
	}
	before, _ := os.ReadFile(path)
	o.says("backup "+path, "is there already")
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the file was replaced")
	}
	o.says("backup "+filepath.Join(dir, "none", "file"), "cannot write the backup")
	store := outbox.New(outbox.Options{Dir: dir, Logger: o.config.Logger})
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
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("there are %v", files)
	}
}

func TestABackupThatIsBrokenOffLeavesNothing(t *testing.T) {
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
	ask, err := newClient(listener.Addr().String(), config.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask.saveBackup(t.Context(), filepath.Join(dir, "copy")); err == nil || !strings.Contains(err.Error(), "cannot finish the backup after 9 bytes") {
		t.Errorf("got %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("there are %v", files)
	}
}

func TestNoFileIsEverReplaced(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	for _, path := range []string{from, to} {
		if err := os.WriteFile(path, []byte(path), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := publish(from, to); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("got %v", err)
	}
	if content, _ := os.ReadFile(to); string(content) != to {
		t.Errorf("it is now %q", content)
	}
}

func TestTheTokenIsReadFromWhereItIs(t *testing.T) {
	o := newOffice(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(canary+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("THE_TOKEN", "a wrong one")
	o.says("targets -token file:"+file, "crm")
	o.says("targets -token env:THE_TOKEN", "401", "this is not the admin_token", "-token")
	o.says("targets -token env:NO_TOKEN", "NO_TOKEN is not set")
	if _, err := o.say("targets -token " + canary); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("a token on the command line: %v", err)
	}
	t.Setenv("SIDEHOOK_ADMIN_TOKEN", canary+"\n")
	o.says("targets", "crm")
}

func TestAProcessThatDoesNotRunIsTold(t *testing.T) {
	f := func(address, want string) {
		t.Helper()
		_, err := Command(t.Context(), "targets", []string{"-admin", address}, nil, &bytes.Buffer{}, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	f("127.0.0.1:1", "no sidehook answers at 127.0.0.1:1")
	f(":1", "no sidehook answers at 127.0.0.1:1")
	f("9090", "must be host:port")
	if known, _ := Command(t.Context(), "none", nil, nil, nil, nil); known {
		t.Error("it knows a command that there is not")
	}
}

func TestWhatOperatorsSeeIsJSON(t *testing.T) {
	o := newOffice(t)
	for _, line := range []string{"targets -json", "deliveries list -json", "deliveries show msg_1 -json", "deliveries discard -state dead -json", "forget p -json"} {
		if out, err := o.say(line); err != nil || !json.Valid([]byte(out)) {
			t.Errorf("%s: %q, %v", line, out, err)
		}
	}
}
