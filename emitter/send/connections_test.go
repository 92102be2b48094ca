package send

import (
	"net"
	"net/http/httptrace"
	"testing"
)

// net/http puts a connection back before it hands over a response without a body,
// so that closing idle connections at that moment would lose the response: the
// receiver would get again what it has accepted.
func TestAResponseIsNotLostWhileAnotherAttemptMeetsADeadConnection(t *testing.T) {
	bothWarm, held, hangUp := make(chan struct{}), make(chan struct{}), make(chan struct{})
	server := newRawReceiver(t, func(conn net.Conn, connection, request int) bool {
		switch request {
		case 1: // until there is a second connection
			<-bothWarm
		case 2:
			close(bothWarm)
		case 3:
			close(held)
			<-hangUp
			return false
		}
		return respond("HTTP/1.1 204 No Content\r\n\r\n")(conn, connection, request)
	})
	sender := newSender(t, targetAt(t, server.url))
	inBackground := func() <-chan Result {
		result := make(chan Result, 1)
		go func() { result <- send(sender) }()
		return result
	}
	for first, second := inBackground(), inBackground(); first != nil; first = nil {
		<-first
		<-second
	}

	dying := inBackground()
	<-held
	died := make(chan Result, 1)
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{PutIdleConn: func(error) {
		close(hangUp)
		died <- <-dying
	}})
	if result := sender.Send(ctx, newDelivery(), sentAt); result.Outcome != Delivered {
		t.Errorf("the delivery that was accepted ended with %+v", result)
	}
	if result := <-died; result.Outcome != Delivered {
		t.Errorf("the delivery that met a dead connection ended with %+v", result)
	}
	if server.count() != 5 {
		t.Errorf("the receiver saw %d requests, want 5", server.count())
	}
}
