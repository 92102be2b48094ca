package replica

import (
	"encoding/binary"
	"time"
)

// helloTopic is where replicas say hello.
const helloTopic = "hello"

// helloFormat is that of a hello. Each begins with the fields of those before it, so that
// all releases read what they know of it.
const helloFormat = 2

// maxExtra is how long Extra may be, in bytes.
const maxExtra = 64 << 10

// The kinds of hellos.
const (
	kindHello = 1
	// kindLeave: the replica ends, and left nothing behind.
	kindLeave = 2
)

// hello is what replicas tell each other all the time.
type hello struct {
	kind              byte
	name, incarnation string
	// started is when the incarnation began, clock what time it is, by its own clock.
	started, clock time.Time
	// echoes are what was heard last of the others, which they measure clocks by.
	echoes []echo
	extra  []byte
	// drainedTo is DrainedTo of its Seer, in microseconds.
	drainedTo time.Time
}

// echo tells a replica that its hello was heard.
type echo struct {
	incarnation string
	// clock is what that hello told, and held for how long it was heard before the echo.
	clock time.Time
	held  time.Duration
}

func (h *hello) encode() []byte {
	to := []byte{helloFormat, h.kind}
	to = appendBytes(to, h.name)
	to = appendBytes(to, h.incarnation)
	to = binary.AppendVarint(to, h.started.UnixMilli())
	to = binary.AppendVarint(to, h.clock.UnixMilli())
	to = appendBytes(to, h.extra)
	// Format 1 ended here.
	to = binary.AppendVarint(to, h.clock.UnixNano())
	to = binary.AppendVarint(to, h.drainedTo.UnixMicro())
	to = binary.AppendUvarint(to, uint64(len(h.echoes)))
	for _, e := range h.echoes {
		to = appendBytes(to, e.incarnation)
		to = binary.AppendVarint(to, e.clock.UnixNano())
		to = binary.AppendVarint(to, int64(e.held))
	}
	return to
}

// parseHello reads a hello. It keeps nothing of message.
func parseHello(message []byte) (h hello, err error) {
	if len(message) < 2 || message[0] == 0 {
		return hello{}, errDamaged
	}
	in := decoder{rest: message[2:]}
	h = hello{kind: message[1], name: string(in.bytes()), incarnation: string(in.bytes())}
	h.started, h.clock = time.UnixMilli(in.int()), time.UnixMilli(in.int())
	h.extra = append([]byte(nil), in.bytes()...)
	if len(h.extra) > maxExtra {
		h.extra = nil
	}
	if message[0] == 1 {
		return h, in.err
	}
	h.clock, h.drainedTo = time.Unix(0, in.int()), time.UnixMicro(in.int()).UTC()
	for n := in.uint(); n > 0 && in.err == nil; n-- {
		h.echoes = append(h.echoes, echo{string(in.bytes()), time.Unix(0, in.int()), time.Duration(in.int())})
	}
	return h, in.err
}
