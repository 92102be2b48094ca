package record

import (
	"encoding/binary"
	"hash/crc32"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sidehook/sidehook/emitter/replica"
)

func TestSeveralReplicasSayForHowLongNothingIsFolded(t *testing.T) {
	dir := memoryDir(t)
	synctest.Test(t, func(t *testing.T) {
		s := &scenario{dir: dir}
		s.open(t)
		f := func(when string, least, most time.Duration) {
			t.Helper()
			if got := time.Duration(s.replicas.members[0].unfolded.waited.Load()); got < least || got > most {
				t.Errorf("%s, nothing was folded for %s", when, got)
			}
		}
		s.get(showPage1)
		time.Sleep(time.Minute)
		f("with nothing to fold", 0, 0)
		const content = "of a newer release"
		newer := binary.BigEndian.AppendUint32([]byte{0xff}, crc32.Checksum([]byte(content), crc32.MakeTable(crc32.Castagnoli)))
		if err := s.replicas.members[1].connection.See(t.Context(), append(newer, content...)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		f("behind what a newer release has written", 50*time.Second, time.Minute)
	})
}

func TestWhatCannotBeReadOfWhatReplicasSawIsCounted(t *testing.T) {
	r := &Recorder{log: slog.New(slog.DiscardHandler), unfolded: newUnfolded(prometheus.NewRegistry())}
	f := &folding{Recorder: r}
	one, err := f.parse(&replica.Assembler{}, 7, []byte("published by hand"))
	if count := testutil.ToFloat64(r.unfolded.unreadable); err != nil || len(one.seen) > 0 || count != 1 {
		t.Errorf("it was read as %+v, %v, and counted %v times", one, err, count)
	}
}
