package proxy

import "strings"

// serveRequest reads a request whose head has been read, and responds. It reports
// whether the connection stays open.
func (run *stepRun) serveRequest(w *testConn, r *received) (kept bool) {
	run.arrivedAtApp.Store(0)
	if strings.Contains(r.Head, "\r\nExpect: ") {
		w.send("HTTP/1.1 100 Continue\r\n\r\n")
	}
	responded := false
	onPiece := func(arrived int) bool {
		run.arrivedAtApp.Store(int64(arrived))
		if !responded && run.outcome == appRespondsEarly && arrived >= run.request.size(run.after) {
			responded = true
			run.response.sendAll(w, &run.arrivedAtClient)
		}
		return true
	}
	onPiece(0)
	if w.readBody(r, framingOf(r.Head, true, false), onPiece); r.End != "" {
		return false
	}
	if run.requestRead <- true; !responded && !run.respond(w, r) {
		return false
	}
	return isPersistent(r.Head, run.response.head()) && run.response.framing != untilClose
}

// respond responds to a whole request, and reports whether it could.
func (run *stepRun) respond(w *testConn, r *received) bool {
	response := &run.response
	switch run.outcome {
	case appDiesBeforeHead:
		w.closeAs(run.closing)
		return false
	case appDiesInHead:
		w.send(response.head()[:run.after%len(response.head())])
		w.closeAs(run.closing)
		return false
	case appDiesInBody:
		response.send(w, &run.arrivedAtClient, run.after)
		response.await(w, &run.arrivedAtClient, response.size(run.after))
		w.closeAs(run.closing)
		return false
	case clientLeavesWaiting:
		<-run.participantLeft
		if run.awaitLeave(w, r); run.closing != halfClosed {
			if r.End == "" {
				w.send(response.text())
			}
			return r.End == ""
		}
	case clientLeavesReading:
		response.send(w, &run.arrivedAtClient, run.after)
		<-run.participantLeft
		run.awaitLeave(w, r)
		return false
	case upgrades:
		response.send(w, &run.arrivedAtClient, 0)
		run.useTunnel(w, r, true)
		return false
	}
	response.sendAll(w, &run.arrivedAtClient)
	return r.End == ""
}

// awaitLeave waits until the app sees that the participant has left.
func (run *stepRun) awaitLeave(w *testConn, r *received) {
	if run.through && run.watched {
		return // see allowedDifferences
	}
	var err error
	r.Extra, err = w.readAll()
	r.End = endOf(err)
}
