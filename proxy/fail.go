package proxy

import (
	"errors"
	"net"
)

// fail ends an exchange whose answer can't be had, or can't be had whole.
func (e *exchange) fail(err error) {
	switch fault := e.fault.Load(); {
	case fault == faultBad:
		e.proxy.counters.refused.Add(1)
		e.cut(badRequest)
	case fault == faultBroken || errors.Is(err, errLeft) || e.left.Load():
		e.proxy.counters.clientGone.Add(1)
		e.closing = true
	case e.noApp:
		e.proxy.counters.appDial.Add(1)
		e.cut(unavailable)
	case isTimeout(err):
		e.proxy.counters.appTimeout.Add(1)
		e.proxy.log.warn("the app did not answer in time", "timeout", e.proxy.config.ResponseTimeout)
		e.cut(gatewayTimeout)
	case e.mayResend():
		e.again = true
	default:
		e.proxy.counters.appBroken.Add(1)
		e.proxy.log.warn("the app broke off its answer", "answered", e.answered, "cause", causeOf(err))
		e.cut(badGateway)
	}
}

// mayResend tells whether the request can be sent again without harm: it asks
// for nothing but an answer, on a kept connection that closed before it said a word.
func (e *exchange) mayResend() bool {
	isSafe := e.isHead || string(e.request.method) == "GET"
	return isSafe && e.bodyLength == 0 && e.app.reused && !e.fresh && !e.headSeen.Load() && e.fromApp.Buffered() == 0
}

// cut answers in the app's place, or, where the app had begun to answer, makes
// sure that the participant can tell that the answer is not whole.
func (e *exchange) cut(instead ownAnswer) {
	e.closing = true
	if !e.answered {
		e.say(instead)
		return
	}
	_ = e.toClient.Flush()
	if e.isUnframed() {
		_ = e.client.SetLinger(0) // makes of the close a reset
		e.client.Close()
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
