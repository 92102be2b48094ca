package proxy

import "strings"

// actAsParticipant sends the request and reads the response. It reports whether the
// connection stays open.
func (run *stepRun) actAsParticipant(w *testConn) (kept bool) {
	request, r := &run.request, &run.transcript.Client
	switch run.outcome {
	case clientLeavesInHead:
		w.send(request.head()[:run.after%len(request.head())])
		w.closeAs(closed)
		return false
	case clientLeavesInUpload:
		request.send(w, &run.arrivedAtApp, run.after)
		if !run.isIncomplete() {
			request.await(w, &run.arrivedAtApp, request.size(run.after)) // or a reset may overtake it
		}
		w.closeAs(run.closing)
		return false
	case clientLeavesWaiting:
		run.sendRequest(w, r)
		<-run.requestRead
		w.closeAs(run.closing)
		close(run.participantLeft)
		if run.closing != halfClosed {
			return false
		}
		run.readResponse(w, r)
	case clientLeavesReading:
		run.sendRequest(w, r)
		run.readResponse(w, r)
		if r.End == "" {
			w.closeAs(run.closing)
		}
		close(run.participantLeft)
		return false
	case appRespondsEarly:
		request.send(w, &run.arrivedAtApp, run.after)
		run.readResponse(w, r)
		request.sendRest(w, &run.arrivedAtApp, run.after)
	case upgrades:
		request.send(w, &run.arrivedAtApp, 0)
		run.readResponse(w, r)
		run.useTunnel(w, r, false)
		return false
	default:
		run.sendRequest(w, r)
		run.readResponse(w, r)
	}
	return run.isKept(w, r)
}

// sendRequest sends the whole request, its body after 100 Continue if it expects that.
func (run *stepRun) sendRequest(w *testConn, r *received) {
	request := &run.request
	if !strings.Contains(request.head(), "\r\nExpect: ") {
		request.sendAll(w, &run.arrivedAtApp)
		return
	}
	w.send(request.head())
	r.Interim = append(r.Interim, w.readHead())
	request.sendRest(w, &run.arrivedAtApp, 0)
}

// isKept reports whether the connection stays open after a response. If not, it
// reads up to its end.
func (run *stepRun) isKept(w *testConn, r *received) bool {
	if r.End != "" {
		return false
	}
	if isPersistent(run.request.head(), r.Head) && run.closing != halfClosed {
		r.Extra = w.readN(w.in.Buffered())
		return true
	}
	extra, err := w.readAll()
	r.Extra, r.End = extra, endOf(err)
	return false
}

// readResponse reads the response, up to where the participant leaves.
func (run *stepRun) readResponse(w *testConn, r *received) {
	for {
		r.Head, r.End = w.readHeadOrEnd()
		if r.End != "" {
			return
		}
		if status := statusOf(r.Head); status >= 200 || status == switchingProtocols {
			break
		}
		r.Interim = append(r.Interim, r.Head)
	}
	run.arrivedAtClient.Store(0)
	if run.outcome == clientLeavesReading && run.after == 0 {
		return
	}
	w.readBody(r, framingOf(r.Head, false, run.isHead()), func(arrived int) bool {
		run.arrivedAtClient.Store(int64(arrived))
		return run.outcome != clientLeavesReading || arrived < run.response.size(run.after)
	})
}
