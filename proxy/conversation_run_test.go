package proxy

import (
	"sync"
	"sync/atomic"
)

// received is what one side has received in a step.
type received struct {
	Interim    []string
	Head, Body string
	Chunks     string // the lines that frame the chunks
	Trailer    string
	End        string // how the connection ended; empty while it is open
	Extra      string // what came after the message
}

// transcript is what both sides have received in a step. A request that is sent
// again reaches the app more than once.
type transcript struct {
	App     []received
	Client  received
	Watched [2]string // the bodies of request and response that the Watcher got
}

// stepRun is a step while it runs, with or without the proxy. The participant's
// part runs on the goroutine of harness.run, the app's on one per connection.
type stepRun struct {
	*step
	through                       bool         // the proxy
	arrivedAtApp, arrivedAtClient atomic.Int64 // bytes of the body; -1 before the head
	requestRead                   chan bool    // gets a value when the app has the whole request
	participantLeft               chan bool    // closed when the participant has left

	mu         sync.Mutex
	transcript transcript
}

func newStepRun(s *step, through bool) *stepRun {
	run := &stepRun{step: s, through: through, requestRead: make(chan bool, 9), participantLeft: make(chan bool)}
	run.arrivedAtApp.Store(-1)
	run.arrivedAtClient.Store(-1)
	return run
}

// useTunnel sends and receives what one side does in a tunnel.
func (run *stepRun) useTunnel(w *testConn, r *received, isApp bool) {
	mine, theirs := &run.arrivedAtClient, &run.arrivedAtApp
	if isApp {
		mine, theirs = theirs, mine
	}
	sent := 0
	for i, line := range run.tunnel {
		if line.byApp != isApp {
			r.Body += w.readN(len(line.text))
			mine.Store(int64(len(r.Body)))
			continue
		}
		w.send(line.text)
		if sent += len(line.text); i == len(run.tunnel)-1 {
			eventuallySoon(w.t, "the other side has received everything", func() bool { return theirs.Load() >= int64(sent) }) // or a reset may overtake it
			w.closeAs(run.closing)
			if run.closing != halfClosed {
				return
			}
		}
	}
	rest, err := w.readAll() // whoever did not end the tunnel sees its end, and ends it, too
	r.Body += rest
	r.End = endOf(err)
}
