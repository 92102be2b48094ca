package replica

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/sidehook/sidehook/emitter/replica/memory"
)

// Whatever happens to the line, the disk and the process: what was durable once is seen
// by all in the end, in order, and until then Unseen says that it is not.
func TestWhatWasDurableIsSeenByAllInTheEnd(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		ops := rapid.SliceOfN(rapid.SampledFrom([]string{
			"see", "see", "see", "see many", "see long", "wait 1ms", "wait 50ms", "wait 100ms", "wait 3s",
			"cut", "deafen", "mend", "mend", "disk fails", "disk works", "disk works", "kill", "kill", "restart", "check", "check",
		}), 20, 80).Draw(r, "ops")
		torn := rapid.IntRange(0, 100).Draw(r, "percent of what was not synced that is kept")
		failure := ""
		synctest.Test(t, func(t *testing.T) {
			m := &model{servers: memory.NewServers(), torn: torn}
			m.servers.MaxMessage = 2000
			defer func() {
				if p := recover(); p != nil {
					failure = fmt.Sprint(p)
				}
				m.life.stop()
				<-m.life.ended
			}()
			m.begin(nil)
			for _, op := range ops {
				m.do(op)
			}
			m.finish()
		})
		if failure != "" {
			r.Fatal(failure)
		}
	})
}

// model is what was done to the Seers of one replica.
type model struct {
	servers *memory.Servers
	life    *life
	disk    *testDisk
	torn    int
	// all are the sightings of all incarnations.
	all []tracked
}

type tracked struct {
	incarnation, participant string
	k                        uint64
	done                     <-chan struct{}
	// isDurable is set once done was closed, and before its process ended.
	isDurable, isDead bool
}

// Helper, Fatal and Fatalf make the model a failer, whose failures end the bubble.
func (m *model) Helper() {}

func (m *model) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func (m *model) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// begin starts a process on what the last one has left.
func (m *model) begin(image map[string][]byte) {
	m.disk = newTestDisk(image)
	m.life = live(m.servers.Connect(), m.disk)
}

func (m *model) do(op string) {
	name, argument, _ := strings.Cut(op, " ")
	switch name {
	case "see":
		count, size := 1, 1
		switch argument {
		case "many":
			count = 40
		case "long":
			size = 9000
		}
		for range count {
			m.see(size)
		}
	case "wait":
		d, err := time.ParseDuration(argument)
		must(m, err)
		time.Sleep(d)
	case "cut":
		m.life.link.Cut()
	case "deafen":
		m.life.link.Deafen()
	case "mend":
		m.life.link.Mend()
	case "disk":
		m.disk.fail(argument == "fails")
	case "kill":
		m.kill()
	case "restart":
		m.restart()
	case "check":
		synctest.Wait()
		m.check()
	}
}

func (m *model) see(size int) {
	participant := fmt.Sprint("p", len(m.all)%5)
	k := m.life.lastK + 1
	done := m.life.see(m, participant, strings.Repeat(fmt.Sprint(k), size))
	m.all = append(m.all, tracked{incarnation: m.life.Incarnation(), participant: participant, k: k, done: done})
}

// note notes what is durable by now.
func (m *model) note() {
	for i := range m.all {
		one := &m.all[i]
		if one.isDead {
			continue
		}
		select {
		case <-one.done:
			one.isDurable = true
		default:
		}
	}
}

func (m *model) bury() {
	for i := range m.all {
		m.all[i].isDead = true
	}
}

// kill ends the process at once, and the power of its disk.
func (m *model) kill() {
	m.note()
	m.life.link.Cut()
	image := m.disk.image(func(unsynced int) int { return unsynced * m.torn / 100 })
	m.bury()
	m.life.stop()
	<-m.life.ended
	m.begin(image)
}

// restart ends the process in good order.
func (m *model) restart() {
	m.life.stop()
	<-m.life.ended
	m.note()
	m.bury()
	image := m.disk.image(func(unsynced int) int { return unsynced })
	m.begin(image)
}

// check compares what was seen with what Unseen tells.
func (m *model) check() {
	m.note()
	seen, _ := read(m, m.servers.Connect())
	unseen := map[string]Queue{}
	for _, q := range m.life.Unseen(nil) {
		unseen[q.Incarnation] = q
	}
	for _, one := range m.all {
		isSeen := m.isIn(seen, one)
		q := unseen[one.incarnation]
		switch {
		case isSeen:
		case one.isDurable && q.Pending[one.participant] < one.k:
			m.Fatalf("sighting %d is not seen, and Unseen has %+v", one.k, q)
		case !one.isDead && one.k <= q.Acked:
			m.Fatalf("sighting %d is not seen, and Unseen says that all up to %d are", one.k, q.Acked)
		}
	}
}

func (m *model) isIn(seen map[string][]string, one tracked) bool {
	return slices.ContainsFunc(seen[one.incarnation], func(s string) bool {
		k, data, _ := strings.Cut(s, " ")
		return k == strconv.FormatUint(one.k, 10) && strings.HasPrefix(data, k)
	})
}

// finish lets everything work again, and expects that all is seen.
func (m *model) finish() {
	m.life.link.Mend()
	m.disk.fail(false)
	time.Sleep(time.Minute)
	m.check()
	seen, _ := read(m, m.servers.Connect())
	for _, one := range m.all {
		if (one.isDurable || !one.isDead) && !m.isIn(seen, one) {
			m.Fatalf("sighting %d of %s was durable, and is not seen; of it, seen was %.500q", one.k, one.incarnation, seen[one.incarnation])
		}
	}
	for _, q := range m.life.Unseen(nil) {
		if len(q.Pending) > 0 {
			m.Fatalf("in the end, Unseen has %+v", q)
		}
	}
	if status := m.life.Status(); status.Records != 0 || status.Bytes != 0 || status.Waiting != 0 {
		m.Fatalf("in the end, the status is %+v", status)
	}
}
