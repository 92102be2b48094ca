package proxy

import (
	"strings"
	"sync"
	"sync/atomic"
)

// record is what one side has got.
type record struct {
	Interim    []string
	Head, Body string
	Chunks     string // how the body was cut
	Trailer    string
	End        string // how the connection ended; empty while it is open
	Extra      string // what came behind the end of the message
}

// transcript is what both sides have got in a talk.
type transcript struct {
	App    []record
	Client record
	Heard  [2]string // the two bodies, by the Watcher
}

// turn is a talk as it is played.
type turn struct {
	*talk
	through         bool
	atApp, atClient atomic.Int64 // bytes of the body that have arrived; -1 before the head
	whole           chan bool    // the app has the whole request
	gone            chan bool    // closed when the participant has left
	mu              sync.Mutex
	transcript      transcript
}

// take takes a request whose head is here, and answers it.
func (now *turn) take(w *wire, r *record) (kept bool) {
	now.atApp.Store(0)
	if strings.Contains(r.Head, "\r\nExpect: ") {
		w.send("HTTP/1.1 100 Continue\r\n\r\n")
	}
	answered := false
	early := func(arrived int) bool {
		now.atApp.Store(int64(arrived))
		if !answered && now.fate == answersEarly && arrived >= now.request.size(now.after) {
			answered = true
			now.answer.sendAll(w, &now.atClient)
		}
		return true
	}
	early(0)
	if w.readBody(r, framingOf(r.Head, true, false), early); r.End != "" {
		return false
	}
	if now.whole <- true; !answered && !now.reply(w, r) {
		return false
	}
	return areKept(r.Head, now.answer.head()) && now.answer.framing != untilClose
}

// reply answers a request that has come whole, and tells whether that went well.
func (now *turn) reply(w *wire, r *record) bool {
	a := &now.answer
	switch now.fate {
	case diesBefore:
		w.end(now.how)
		return false
	case diesInHead:
		w.send(a.head()[:now.after%len(a.head())])
		w.end(now.how)
		return false
	case diesInBody:
		a.send(w, &now.atClient, now.after)
		a.await(w, &now.atClient, a.size(now.after))
		w.end(now.how)
		return false
	case leavesWaiting:
		<-now.gone
		if now.seeLeave(w, r); now.how != half {
			if r.End == "" {
				w.send(a.text())
			}
			return r.End == ""
		}
	case leavesListening:
		a.send(w, &now.atClient, now.after)
		<-now.gone
		now.seeLeave(w, r)
		return false
	case switches:
		a.send(w, &now.atClient, 0)
		now.converse(w, r, true)
		return false
	}
	a.sendAll(w, &now.atClient)
	return r.End == ""
}

// seeLeave waits until the app sees that the participant has left.
func (now *turn) seeLeave(w *wire, r *record) {
	if now.through && now.watched {
		return // see allowed
	}
	var err error
	r.Extra, err = w.rest()
	r.End = endOf(err)
}

// participate is the participant, and tells whether the connection stays.
func (now *turn) participate(w *wire) (kept bool) {
	q, r := &now.request, &now.transcript.Client
	switch now.fate {
	case leavesInHead:
		w.send(q.head()[:now.after%len(q.head())])
		w.end(full)
		return false
	case leavesInUpload:
		q.send(w, &now.atApp, now.after)
		if !now.isStub() {
			q.await(w, &now.atApp, q.size(now.after)) // or a reset may overtake it
		}
		w.end(now.how)
		return false
	case answersEarly:
		q.send(w, &now.atApp, now.after)
		now.listen(w, r)
		q.sendRest(w, &now.atApp, now.after)
	case switches:
		q.send(w, &now.atApp, 0)
		now.listen(w, r)
		now.converse(w, r, false)
		return false
	default:
		if strings.Contains(q.head(), "\r\nExpect: ") {
			w.send(q.head())
			head, _ := w.readHead()
			r.Interim = append(r.Interim, head)
			q.sendRest(w, &now.atApp, 0)
		} else {
			q.sendAll(w, &now.atApp)
		}
		if now.fate == leavesWaiting {
			<-now.whole
			w.end(now.how)
			close(now.gone)
			if now.how != half {
				return false
			}
		}
		now.listen(w, r)
	}
	if now.fate == leavesListening {
		if r.End == "" {
			w.end(now.how)
		}
		close(now.gone)
		return false
	}
	return now.outlives(w, r)
}

// outlives tells whether the connection stays after an answer. If not, it waits for its end.
func (now *turn) outlives(w *wire, r *record) bool {
	if r.End != "" {
		return false
	}
	if areKept(now.request.head(), r.Head) && now.how != half {
		r.Extra = w.take(w.in.Buffered())
		return true
	}
	extra, err := w.rest()
	r.Extra, r.End = extra, endOf(err)
	return false
}

// listen reads the answer.
func (now *turn) listen(w *wire, r *record) {
	for {
		r.Head, r.End = w.readHead()
		if r.End != "" {
			return
		}
		if status := statusOf(r.Head); status >= 200 || status == switchingProtocols {
			break
		}
		r.Interim = append(r.Interim, r.Head)
	}
	now.atClient.Store(0)
	if now.fate == leavesListening && now.after == 0 {
		return
	}
	w.readBody(r, framingOf(r.Head, false, now.isHead()), func(arrived int) bool {
		now.atClient.Store(int64(arrived))
		return now.fate != leavesListening || arrived < now.answer.size(now.after)
	})
}

// converse talks through a tunnel.
func (now *turn) converse(w *wire, r *record, isApp bool) {
	mine, theirs := &now.atClient, &now.atApp
	if isApp {
		mine, theirs = theirs, mine
	}
	said := 0
	for i, line := range now.lines {
		if line.byApp != isApp {
			r.Body += w.take(len(line.text))
			mine.Store(int64(len(r.Body)))
			continue
		}
		w.send(line.text)
		if said += len(line.text); i == len(now.lines)-1 {
			soon(w.t, "the other side has heard all", func() bool { return theirs.Load() >= int64(said) }) // or a reset may overtake it
			w.end(now.how)
			if now.how != half {
				return
			}
		}
	}
	rest, err := w.rest() // who did not end the tunnel sees its end, and ends it too
	r.Body += rest
	r.End = endOf(err)
}
