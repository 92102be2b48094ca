package replica

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sidehook/sidehook/emitter/replica/memory"
)

// sameBytes compares without telling nil from empty.
var sameBytes = cmp.Options{cmpopts.EquateEmpty()}

// spillWait is when a sighting is in the spill at the latest.
const spillWait = durableWait + time.Millisecond

var errEnough = errors.New("enough")

// failer is a test of any kind.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func must(t failer, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at returns a time that is some seconds after the first of all tests.
func at(seconds int) time.Time { return time.Unix(1_800_000_000+int64(seconds), 0).UTC() }

// pack returns the messages of sightings.
func pack(t failer, incarnation string, limit int, sightings []Sighting) (messages [][]byte) {
	t.Helper()
	p := newPacker(incarnation, limit)
	for i := range sightings {
		if p.add(&sightings[i]) {
			continue
		}
		if !p.isEmpty {
			messages = append(messages, p.message())
		}
		if p.add(&sightings[i]) {
			continue
		}
		parts, err := p.parts(&sightings[i])
		must(t, err)
		messages = append(messages, parts...)
	}
	if !p.isEmpty {
		messages = append(messages, p.message())
	}
	return messages
}

// sealed returns a message with a compressed content.
func sealed(compressed []byte) []byte {
	head := binary.BigEndian.AppendUint32([]byte{messageFormat}, crc32.Checksum(compressed, castagnoli))
	return append(head, compressed...)
}

// life is a Seer that runs.
type life struct {
	*Seer
	link *memory.Connection
	disk disk
	stop context.CancelFunc
	// ended gets the result of Run.
	ended chan error
}

// live runs a Seer.
func live(link *memory.Connection, d disk) *life { return liveBy(link, d, nil) }

// liveBy runs a Seer whose clock may not be known.
func liveBy(link *memory.Connection, d disk, clockShift func() (time.Duration, bool)) *life {
	l := &life{link: link, disk: d, ended: make(chan error, 1)}
	l.Seer = newSeer(SeerOptions{Link: link, ClockShift: clockShift, Logger: slog.New(slog.DiscardHandler)}, d)
	l.start()
	return l
}

func (l *life) start() {
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	go func() { l.ended <- l.Run(ctx) }()
}

// end stops a Seer in good order.
func (l *life) end(t failer) {
	t.Helper()
	l.stop()
	must(t, <-l.ended)
}

// see has a participant do something, and returns what is closed once it is durable.
func (l *life) see(t failer, participant, data string) <-chan struct{} {
	t.Helper()
	done, ok := l.See(participant, at(0), []byte(data))
	if !ok {
		t.Fatalf("%s of %s was refused", data, participant)
	}
	return done
}

// within fails the test unless done is closed within a time of its bubble.
func within(t failer, d time.Duration, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(d):
		t.Fatalf("it is not durable after %s", d)
	}
}

// read returns what was seen of each incarnation, "K data", and how many messages it
// was. Repeated sightings are skipped, as every reader does.
func read(t failer, link *memory.Connection) (seen map[string][]string, messages int) {
	t.Helper()
	seen = map[string][]string{}
	last, err := link.LastSeen(context.Background())
	must(t, err)
	if last == 0 {
		return seen, 0
	}
	var a Assembler
	ks := map[string]uint64{}
	err = link.Seen(context.Background(), 0, func(number uint64, message []byte) error {
		incarnation, sightings, _, err := a.Add(number, message)
		if err != nil {
			return err
		}
		messages++
		for _, s := range sightings {
			if s.K > ks[incarnation] {
				ks[incarnation] = s.K
				seen[incarnation] = append(seen[incarnation], fmt.Sprint(s.K, " ", string(s.Data)))
			}
		}
		if number == last {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) {
		t.Fatal(err)
	}
	return seen, messages
}

// numbered returns what read returns of sightings from to to whose data is their K.
func numbered(from, to int) (all []string) {
	for k := from; k <= to; k++ {
		all = append(all, fmt.Sprint(k, " ", k))
	}
	return all
}

// bubble is where tests of a Seer run: with servers, and a disk in memory.
func bubble(t *testing.T) (servers *memory.Servers, link *memory.Connection, d *testDisk) {
	t.Helper()
	servers = memory.NewServers()
	return servers, servers.Connect(), newTestDisk(nil)
}

// checksum returns the checksum of a header or record.
func checksum(data []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.Checksum(data, castagnoli))
}
