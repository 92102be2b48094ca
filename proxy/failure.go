package proxy

import (
	"errors"
	"net"
)

// failure is why a response could not be relayed to its end.
type failure int

const (
	noFailure        failure = iota
	malformedRequest         // the upload violates its framing
	participantLeft          // or sent nothing for too long
	appUnreachable           // no connection could be had
	appTimedOut              // no head within Config.ResponseTimeout
	staleConnection          // a kept connection was closed before it could be used
	appBrokeOff              // the response ended early, or is not HTTP/1.1
)

// classify returns the failure behind an error of relaying.
func (r *response) classify(err error) failure {
	switch upload := r.upload.load(); {
	case upload == uploadMalformed:
		return malformedRequest
	case upload == uploadAbandoned, errors.Is(err, errLeft), r.disconnect.state.load() != present:
		return participantLeft
	case isTimeout(err):
		return appTimedOut
	case r.isStale():
		return staleConnection
	}
	return appBrokeOff
}

// isStale reports whether the request can be sent again without harm: it asks
// for nothing but a response, on a kept connection that the app closed without
// sending anything.
func (r *response) isStale() bool {
	isSafe := r.isHead || string(r.request.method) == "GET"
	isSilent := r.state.load() == responseAwaited && r.fromApp.Buffered() == 0
	return isSafe && isSilent && r.bodyLength == 0 && r.app.reused
}

// fail counts and logs a failure, and lets the participant see it. A stale
// connection is no failure as long as there are others.
func (r *response) fail(f failure, err error) {
	counters, warnings := &r.proxy.counters, r.proxy.warnings
	switch f {
	case malformedRequest:
		counters.refused.Add(1)
		r.replaceOrTruncate(badRequest)
	case participantLeft:
		counters.clientGone.Add(1)
		r.breakOff()
	case appUnreachable:
		counters.appDial.Add(1)
		r.replaceOrTruncate(unavailable)
	case appTimedOut:
		counters.appTimeout.Add(1)
		id := r.replaceOrTruncate(gatewayTimeout)
		warnings.log(warnTimedOut, "timeout", r.proxy.config.ResponseTimeout, "request", id)
	case appBrokeOff:
		counters.appBroken.Add(1)
		isTruncated := r.state.load().hasHead()
		id := r.replaceOrTruncate(badGateway)
		warnings.log(warnBrokeOff, "after_head", isTruncated, "error", causeOf(err), "request", id)
	}
}

// replaceOrTruncate responds in the app's place or, where the app had begun to
// respond, makes sure that the participant sees that the response is cut short. It
// returns the id of its own response, empty without one.
func (r *response) replaceOrTruncate(instead ownResponse) (id string) {
	if !r.state.load().hasHead() {
		return r.replace(instead)
	}
	r.breakOff()
	_ = r.toClient.Flush()
	if r.isUnframed() {
		_ = r.client.SetLinger(0) // makes the close a reset
		r.client.Close()
	}
	return ""
}

// breakOff ends relaying in the middle, and the participant's connection.
func (r *response) breakOff() {
	r.closing = true
	if now := r.state.load(); now.canBecome(now.broken()) {
		r.state.advance(now.broken())
	}
}

// causeOf is the part of an error that an operator may see: neither addresses
// nor anything that was sent.
func causeOf(err error) string {
	var network *net.OpError
	if errors.As(err, &network) {
		err = network.Err
	}
	return err.Error()
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
